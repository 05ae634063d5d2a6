// SPDX-License-Identifier: MIT
// From a named path of the policy to the host's entries: which of them it selects, in order of
// preference. Pure; used by the plan builder and by what pxctl shows.
#pragma once

#include <cstddef>
#include <cstdint>
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

// What a mark does for a socket that takes an entry by a path.
enum class MarkUse : std::uint8_t {
  kNone,       // the kernel takes the entry by itself
  kNeeded,     // the next hop: without the mark the entry is not available
  kFurther,    // the next hop serves every destination; without it, those that its routes name
  kNoDevice,   // the source is another interface's: the mark in place of a device lets answers in
               // wherever they come
  kPortBound,  // for sockets that px can give no source, which have no route without it
};
[[nodiscard]] MarkUse mark_use(const PathSelector& path, const Entry& entry);

// The key of the routing table whose mark such a socket is given; empty for kNone.
[[nodiscard]] std::string mark_key(const PathSelector& path, const Entry& entry);
// The key that any entry of a path with a gateway has on this interface.
[[nodiscard]] std::string mark_key(const PathSelector& path, const std::string& interface);

}  // namespace px::broker
