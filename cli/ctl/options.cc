// SPDX-License-Identifier: MIT
#include "cli/ctl/options.h"

#include <CLI/CLI.hpp>
#include <deque>

#include "cli/ctl/commands.h"

namespace px::cli {
namespace {

// The words that begin one command, or one action of it, and the values that follow them.
struct Syntax {
  const CLI::App* app;
  const Command* command;
  const char* action;
  decltype(CtlOptions::values) values;
};
// The parser holds references to the values.
using Syntaxes = std::deque<Syntax>;

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

void add_parameter(CLI::App& app, const Parameter& parameter, std::string& value) {
  value = parameter.initial;
  CLI::Option* option = nullptr;
  if (parameter.type == ParameterType::kPositiveNumber) {
    const auto keep = [&value](int number) { value = std::to_string(number); };
    option = app.add_option_function<int>(parameter.name, keep, parameter.help);
    option->check(CLI::PositiveNumber);
  } else if (parameter.type == ParameterType::kFlag) {
    const auto keep = [&value](std::int64_t) { value = "true"; };
    option = app.add_flag_function(parameter.name, keep, parameter.help);
  } else {
    option = app.add_option(parameter.name, value, parameter.help);
  }
  option->required(parameter.required);
  if (!parameter.choices.empty()) {
    const std::vector<std::string> choices(parameter.choices.begin(), parameter.choices.end());
    option->check(CLI::IsMember(choices));
  }
  if (!value.empty()) option->capture_default_str();
}

void add_syntax(CLI::App& app, const Command& command, const char* action, Syntaxes& syntaxes) {
  Syntax& syntax = syntaxes.emplace_back(Syntax{&app, &command, action, {}});
  for (const Parameter& parameter : command.parameters) {
    add_parameter(app, parameter, syntax.values[parameter.name]);
  }
}

Syntaxes add_commands(CLI::App& app) {
  Syntaxes syntaxes;
  for (const auto& [name, summary, command] : kCommands) {
    CLI::App& added = *app.add_subcommand(name, summary);
    if (command.actions.empty()) {
      add_syntax(added, command, "", syntaxes);
      continue;
    }
    added.require_subcommand(1);
    for (const Action& action : command.actions) {
      add_syntax(*added.add_subcommand(action.name, action.summary), command, action.name,
                 syntaxes);
    }
  }
  return syntaxes;
}

void take_chosen(Syntaxes& syntaxes, ParsedCtlOptions& parsed) {
  for (Syntax& syntax : syntaxes) {
    if (!syntax.app->parsed()) continue;
    parsed.command = syntax.command;
    parsed.options.action = syntax.action;
    parsed.options.values = std::move(syntax.values);
  }
}

}  // namespace

Expected<ParsedCtlOptions> parse_ctl_options(const std::vector<std::string>& words) {
  ParsedCtlOptions parsed;
  CLI::App app("Asks the broker of px what it knows and does.", "pxctl");
  add_common_options(app, parsed.options);
  Syntaxes syntaxes = add_commands(app);
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  try {
    app.parse(reversed);
    take_chosen(syntaxes, parsed);
  } catch (const CLI::CallForHelp&) {
    parsed.answer = app.help();
  } catch (const CLI::CallForVersion&) {
    parsed.answer = app.version() + "\n";
  } catch (const CLI::ParseError& error) {
    return fail(std::string(error.what()) + "; see pxctl --help");
  }
  return parsed;
}

}  // namespace px::cli
