// SPDX-License-Identifier: MIT
#include "cli/ctl/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/ctl/commands.h"

namespace px::cli {
namespace {

void add_common_options(CLI::App& app, CtlOptions& options) {
  app.set_version_flag("--version", "pxctl " PX_VERSION);
  app.add_flag("--json", options.json, "Answer in JSON, for programs");
  app.add_option("--config", options.config,
                 "Policy file for `check` (default: the user's, else /etc/px/px.yaml)");
  app.add_option("--socket", options.socket,
                 "The broker's socket (default: $PX_SOCKET, else the system's, else the user's)");
  app.require_subcommand(1);
  // Common options may stand after the command, too.
  app.fallthrough();
  app.footer("Exit status: 0: done; 1: the answer is no; 2: wrong usage; 3: no broker.");
}

void add_explain_options(CLI::App& explain, CtlOptions& options) {
  explain.add_option("PROGRAM", options.program, "A name, a path, or the pid of a running program")
      ->required();
  explain.add_option("DESTINATION", options.destination, "An address, or a name")->required();
  explain.add_option("PORT", options.port, "A number or a service's name (default: 443)");
  explain.add_option("--profile", options.profile,
                     "Instead of the profile that the program has or would get");
  explain.add_option("--proto", options.transport, "tcp or udp")
      ->check(CLI::IsMember({"tcp", "udp"}))
      ->capture_default_str();
}

void add_router_commands(CLI::App& router, CtlOptions& options) {
  router.require_subcommand(1);
  for (const auto& [action, description] :
       {std::pair{"add", "Add a router on a network of one of the host's interfaces"},
        std::pair{"delete", "Delete a router that was added"}}) {
    CLI::App* added = router.add_subcommand(action, description);
    added->add_option("ADDRESS", options.router, "ADDRESS, or ADDRESS%INTERFACE")->required();
    added->callback([&options, action = action] { options.router_action = action; });
  }
}

CLI::App* add_commands(CLI::App& app, ParsedCtlOptions& parsed) {
  const auto add = [&](const char* name, const char* description, auto command) {
    CLI::App* added = app.add_subcommand(name, description);
    added->callback([&parsed, command] { parsed.command = command; });
    return added;
  };
  add("paths", "The host's ways out, by number, and the policy's names for them", run_paths);
  add("status", "The broker, its policy, and the profiles", run_status);
  add("ps", "The programs that run under px, and those that should", run_ps);
  add_explain_options(
      *add("explain", "Which way a program's connection would take, and why", run_explain),
      parsed.options);
  add("check", "Say what is wrong with a policy file; needs no broker", run_check)
      ->add_option("FILE", parsed.options.file, "The policy file (default: as --config)");
  auto* move =
      add("move", "Give a running program another profile, for its new connections", run_move);
  move->add_option("PID", parsed.options.pid, "A program of `pxctl ps`")
      ->required()
      ->check(CLI::PositiveNumber);
  move->add_option("PROFILE", parsed.options.profile, "A profile of the policy")->required();
  add("reload", "Read the policy again and put it in force everywhere", run_reload);
  add_router_commands(*add("router", "Next hops that the routing table does not show", run_router),
                      parsed.options);
  add("doctor", "What on this host keeps px from working, and what to do", run_doctor);
  return add("watch", "Tell what happens as it happens, until interrupted", run_watch);
}

}  // namespace

Expected<ParsedCtlOptions> parse_ctl_options(const std::vector<std::string>& words) {
  // The commands' callbacks write into it, so it must not move while they may.
  const auto parsed = std::make_unique<ParsedCtlOptions>();
  CLI::App app("Asks the broker of px what it knows and does.", "pxctl");
  add_common_options(app, parsed->options);
  add_commands(app, *parsed);
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    parsed->command = nullptr;
    parsed->answer = app.help();
  } catch (const CLI::CallForVersion&) {
    parsed->command = nullptr;
    parsed->answer = app.version() + "\n";
  } catch (const CLI::ParseError& error) {
    return fail(std::string(error.what()) + "; see pxctl --help");
  }
  return std::move(*parsed);
}

}  // namespace px::cli
