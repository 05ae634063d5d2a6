// SPDX-License-Identifier: MIT
// Compiles one profile and the host's entries of this moment into the bytes of a plan, as
// plan/layout.h lays them out. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "broker/config/policy.h"
#include "broker/host/snapshot.h"
#include "broker/routing/routing_demand.h"
#include "util/error.h"

namespace px::broker {

// The entry as a plan holds it where the path selects it, without its reach, which is a section of
// the plan.
[[nodiscard]] plan::Entry plan_entry(const Entry& entry, const PathSelector& path,
                                     const Marks& marks);

// Where the entry leads by this path: what its interface has routes to or, where it takes a mark
// for its next hop, everywhere, by the mark's own table.
[[nodiscard]] Ranges reach_of(const Entry& entry, const PathSelector& path,
                              const Snapshot& snapshot, const Marks& marks);

// At most plan::kHalfSize bytes; an error that names the profile if it would be more. Entries that
// need a mark and have none in `marks` are not usable.
[[nodiscard]] Expected<std::vector<std::byte>> build_plan(const Profile& profile,
                                                          const Policy& policy,
                                                          const Snapshot& snapshot,
                                                          const Marks& marks = {});

// The plan of a profile that the policy has no more: everything but the exempt fails closed.
[[nodiscard]] std::vector<std::byte> build_removed_plan(const Snapshot& snapshot);

}  // namespace px::broker
