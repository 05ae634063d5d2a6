// SPDX-License-Identifier: MIT
// pxctl's command line (pxctl(1)), by the table of its commands.
#pragma once

#include <string>
#include <vector>

#include "cli/ctl/command.h"
#include "util/error.h"

namespace px::cli {

struct ParsedCtlOptions {
  CtlOptions options;
  const Command* command = nullptr;  // none where --help or --version asked for text
  std::string answer;                // that text
};

[[nodiscard]] Expected<ParsedCtlOptions> parse_ctl_options(const std::vector<std::string>& words);

}  // namespace px::cli
