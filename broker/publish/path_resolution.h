// SPDX-License-Identifier: MIT
// From a named path of the policy to the host's entries: which of them it selects, in order of
// preference. Pure; used by the plan builder and by what pxctl shows.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "broker/config/policy.h"
#include "broker/host/snapshot.h"

namespace px::broker {

// Indices into `snapshot.entries`, available or not: those with the path's gateway or, where it
// names none, with their interface's own next hop. A deprecated source counts only where the path
// names it, or its interface has no other one of the family. Another interface's source counts only
// where the path names it or, with a gateway, where the interface has none.
[[nodiscard]] std::vector<std::size_t> resolve_path(const PathSelector& path,
                                                    const Snapshot& snapshot);

// The key of the routing table whose mark a socket needs to take the entry by this path. Empty
// where it needs none: the path names no gateway, or the kernel is certain to take it by itself.
[[nodiscard]] std::string mark_key(const PathSelector& path, const Entry& entry);
// The key that any entry of a path with a gateway has on this interface, if it needs a mark.
[[nodiscard]] std::string mark_key(const PathSelector& path, const std::string& interface);

}  // namespace px::broker
