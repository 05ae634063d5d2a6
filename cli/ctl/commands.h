// SPDX-License-Identifier: MIT
// All commands of pxctl, in the order of `pxctl --help`: the rows of commands.def.
#pragma once

#include "cli/ctl/command.h"

namespace px::cli {

#define PX_COMMAND(name, summary) extern const Command name##_command;
#include "cli/ctl/commands.def"

struct CommandRow {
  const char* name;
  const char* summary;
  const Command& command;
};

inline constexpr CommandRow kCommands[] = {
#define PX_COMMAND(name, summary) {#name, summary, name##_command},
#include "cli/ctl/commands.def"
};

}  // namespace px::cli
