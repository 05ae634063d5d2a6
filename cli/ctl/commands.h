// SPDX-License-Identifier: MIT
// pxctl's commands: each asks the broker, prints the answer on standard output (as JSON where the
// options say so), complaints on standard error, and returns the exit status (options.h).
#pragma once

#include "cli/ctl/options.h"

namespace px::cli {

[[nodiscard]] int run_paths(const CtlOptions& options, const Terminal& terminal);
[[nodiscard]] int run_status(const CtlOptions& options, const Terminal& terminal);
[[nodiscard]] int run_ps(const CtlOptions& options, const Terminal& terminal);
[[nodiscard]] int run_explain(const CtlOptions& options, const Terminal& terminal);
[[nodiscard]] int run_check(const CtlOptions& options, const Terminal& terminal);
[[nodiscard]] int run_move(const CtlOptions& options, const Terminal& terminal);
[[nodiscard]] int run_reload(const CtlOptions& options, const Terminal& terminal);
[[nodiscard]] int run_router(const CtlOptions& options, const Terminal& terminal);
[[nodiscard]] int run_doctor(const CtlOptions& options, const Terminal& terminal);
[[nodiscard]] int run_watch(const CtlOptions& options, const Terminal& terminal);

}  // namespace px::cli
