// SPDX-License-Identifier: MIT
// From px-exec's command line to the program: examines the program, finds or starts a broker,
// announces the launch, sets the environment. Called once, single-threaded.
#pragma once

#include "cli/exec/options.h"

namespace px::cli {

inline constexpr int kOwnFailure = 125;  // as env(1) and nohup(1) do

// Returns only where the program was not run: the exit status, after one line on standard error.
[[nodiscard]] int launch_program(const ExecOptions& options);

}  // namespace px::cli
