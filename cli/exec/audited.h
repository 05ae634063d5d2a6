// SPDX-License-Identifier: MIT
// `px-exec --audit`: px-exec becomes px-audit, which starts the program and counts what it sends.
// Changes this process's environment; single-threaded.
#pragma once

#include <string>
#include <vector>

#include "cli/exec/options.h"
#include "util/error.h"

namespace px::cli {

// To be called before a broker is started or asked. The error says what to do.
[[nodiscard]] Expected<void> can_audit();

// The command to run instead of the program, once the environment is the program's. libpx.so is for
// the program, not for px-audit: LD_PRELOAD goes from the environment into a word.
[[nodiscard]] std::vector<std::string> audited(const ExecOptions& options);

}  // namespace px::cli
