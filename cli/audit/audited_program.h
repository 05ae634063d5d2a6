// SPDX-License-Identifier: MIT
// The program of `px-exec --audit`: started in a cgroup of its own, so that every socket it makes
// is counted, and watched until it ends. Findings go to standard error at once, the verdict at the
// end.
#pragma once

#include "cli/audit/options.h"

namespace px::cli {

// The exit status: kLeaks where there is a finding or something was lost, else the program's own.
[[nodiscard]] int audit_program(const AuditOptions& options);

inline constexpr int kLeaks = 1;
inline constexpr int kNoAudit = 125;  // as px-exec's own failures

}  // namespace px::cli
