// SPDX-License-Identifier: MIT
// `pxctl audit`: programs that run, for a time or until interrupted. Findings go to standard output
// at once, the verdict at the end.
#pragma once

#include "cli/audit/options.h"

namespace px::cli {

// The exit status: kDone or kAnswerIsNo, or what kept it from being made.
[[nodiscard]] int audit_running_programs(const AuditOptions& options);

inline constexpr int kCannotAudit = 4;

}  // namespace px::cli
