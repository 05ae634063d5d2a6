// SPDX-License-Identifier: MIT
// What a good policy says that will hardly do what was meant: rules that never decide, and paths
// that select nothing on this host. Pure; said by a check, at the start and at each reload.
#pragma once

#include <string>
#include <vector>

#include "broker/config/policy.h"
#include "broker/host/snapshot.h"

namespace px::broker {

// In the order of the policy's files.
[[nodiscard]] std::vector<Diagnostic> warnings_of(const Policy& policy, const Snapshot& snapshot);

// Each as "FILE:LINE:COLUMN: warning: MESSAGE".
[[nodiscard]] std::vector<std::string> warning_texts(const std::vector<Diagnostic>& warnings);

}  // namespace px::broker
