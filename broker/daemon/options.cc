// SPDX-License-Identifier: MIT
#include "broker/daemon/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "plan/wire.h"

namespace px::broker {
namespace {

std::filesystem::path from_environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

std::filesystem::path default_config() {
  if (geteuid() == 0) return "/etc/px/px.yaml";
  const auto base = from_environment("XDG_CONFIG_HOME");
  return (base.empty() ? from_environment("HOME") / ".config" : base) / "px" / "px.yaml";
}

std::filesystem::path default_socket() {
  if (auto named = from_environment(plan::kSocketVariable); !named.empty()) return named;
  if (geteuid() == 0) return plan::kSystemSocket;
  const auto base = from_environment("XDG_RUNTIME_DIR");
  return base.empty() ? base : base / plan::kUserSocketBelowRuntimeDir;
}

// systemd names the unit's directories, joined by colons.
std::filesystem::path default_state_directory(const Options& options) {
  const auto named = from_environment("STATE_DIRECTORY").string();
  if (options.private_broker || named.empty()) return options.socket.parent_path();
  return named.substr(0, named.find(':'));
}

}  // namespace

ParsedOptions parse_options(int argc, char** argv) {
  Options options;
  CLI::App app(
      "pxd, the broker of px: publishes each profile's plan to the programs that run "
      "under it.");
  app.set_version_flag("--version", "pxd " PX_VERSION);
  app.add_option("--config", options.config,
                 "Policy file (default: /etc/px/px.yaml for root, "
                 "else $XDG_CONFIG_HOME/px/px.yaml)");
  app.add_option("--socket", options.socket,
                 "Socket to serve at (default: $PX_SOCKET, else "
                 "/run/px/px.sock for root, else "
                 "$XDG_RUNTIME_DIR/px/px.sock)");
  app.add_option("--state-directory", options.state_directory,
                 "Where added routers are kept (default: $STATE_DIRECTORY, else the socket's "
                 "directory)");
  auto* check = app.add_flag("--check", options.check, "Check the policy, say what is wrong, end");
  app.add_flag("--json", options.json, "With --check: answer in JSON")->needs(check);
  auto* own = app.add_flag("--private", options.private_broker,
                           "Serve px-exec's one program: remove everything at the end");
  auto* via = app.add_option("--via", options.via,
                             "With --private: send everything through this "
                             "path, entry number or interface");
  via->needs(own);
  app.add_option("--rules", options.rules, "With --private: the rules of this file")
      ->needs(own)
      ->excludes(via);
  app.add_option("--watch-pid", options.watch_pid,
                 "With --private: end when this process and all "
                 "programs under px have ended")
      ->needs(own);
  app.add_option("--ready-fd", options.ready_fd, "Write \"ready\" and a newline here once serving");
  app.add_option("--log-level", options.log_level, "What is logged on standard error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error", "off"}))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, app.exit(error) == 0 ? 0 : 2};
  }
  if (options.config.empty() && !options.private_broker) options.config = default_config();
  options.socket_named = !options.socket.empty();
  if (!options.socket_named) options.socket = default_socket();
  if (options.socket.empty() && !options.check) {
    std::fputs("pxd: XDG_RUNTIME_DIR is not set: say where to serve with --socket PATH\n", stderr);
    return {std::nullopt, 2};
  }
  if (options.state_directory.empty()) options.state_directory = default_state_directory(options);
  return {options, 0};
}

}  // namespace px::broker
