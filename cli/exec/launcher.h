// SPDX-License-Identifier: MIT
// What px-exec does between its command line and the program: the look at the program, the broker,
// the launch, the environment. Called once, single-threaded.
#pragma once

#include "cli/exec/options.h"

namespace px::cli {

inline constexpr int kOwnFailure = 125;  // as env(1) and nohup(1) do

// Returns only where the program was not run: the exit status, after one line on standard error.
[[nodiscard]] int launch_program(const ExecOptions& options);

}  // namespace px::cli
