// SPDX-License-Identifier: MIT
// px-exec's command line (px-exec(1)): its own options up to the first word that is none, then the
// program's, which are not looked at.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "util/error.h"

namespace px::cli {

struct ExecOptions {
  std::string profile;  // empty: the policy's default-profile
  std::string via;
  std::string rules;
  std::string config;
  std::string socket;
  std::string audit_report;  // file for the audit's verdict, as JSON
  bool audit = false;
  bool allow_uncovered = false;
  std::vector<std::string> program;  // name and arguments; never empty

  // A broker of its own; for --via alone, only where no running broker serves it.
  [[nodiscard]] bool wants_private_broker() const {
    return !via.empty() || !rules.empty() || !config.empty();
  }
};

// The options, or text to print where --help or --version asked for it.
struct ParsedExecOptions {
  std::optional<ExecOptions> options;
  std::string answer;
};

[[nodiscard]] Expected<ParsedExecOptions> parse_exec_options(const std::vector<std::string>& words);

}  // namespace px::cli
