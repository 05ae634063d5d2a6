// SPDX-License-Identifier: MIT
// From a named path of the policy to the host's entries: which of them it selects, in order of
// preference. Pure; used by the plan builder and by what pxctl shows.
#pragma once

#include <cstddef>
#include <vector>

#include "broker/config/policy.h"
#include "broker/paths/snapshot.h"

namespace px::broker {

// Indices into `snapshot.entries`, available or not. Entries whose next hop is not their
// interface's own are left out: they need a routing table each. Deprecated sources stand only
// where their interface has no other of the family, or where the path names them.
[[nodiscard]] std::vector<std::size_t> resolve_path(const PathSelector& path,
                                                    const Snapshot& snapshot);

}  // namespace px::broker
