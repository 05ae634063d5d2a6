// SPDX-License-Identifier: MIT
// A command of pxctl: its arguments and options, and the function that runs it. Each command stands
// in the file of its name as a constant, NAME_command, and has a row in commands.def. Constants;
// nothing is owned.
#pragma once

#include <map>
#include <span>
#include <string>

namespace px::cli {

struct Terminal;

// Exit statuses.
inline constexpr int kDone = 0;
inline constexpr int kAnswerIsNo = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNoBroker = 3;

enum class ParameterType { kText, kPositiveNumber, kFlag };

// An argument, or an option, which takes a value unless it is a flag.
struct Parameter {
  const char* name;  // of an argument as in usage texts, "PID"; of an option with its dashes
  const char* help;
  bool required = false;
  ParameterType type = ParameterType::kText;
  std::span<const char* const> choices = {};  // the only texts that it takes; empty: any
  const char* initial = "";                   // where it is not given
};

// A word between a command's name and its arguments.
struct Action {
  const char* name;
  const char* summary;
};

// The command line, parsed.
struct CtlOptions {
  bool json = false;
  std::string config;
  std::string socket;
  std::string action;  // of a command that has several
  // Of the command's own parameters, all of them, by name. A flag's is empty unless it is given.
  std::map<std::string, std::string> values = {};

  // The parameter must be one of the command's.
  [[nodiscard]] const std::string& value(const std::string& parameter) const {
    return values.at(parameter);
  }
};

struct Command {
  // Prints the answer on standard output (as JSON where the options say so), complaints on standard
  // error, and returns the exit status.
  int (*run)(const CtlOptions& options, const Terminal& terminal);
  std::span<const Parameter> parameters = {};
  std::span<const Action> actions = {};  // one of them must be given, where there are any
};

}  // namespace px::cli
