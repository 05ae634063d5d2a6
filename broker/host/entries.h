// SPDX-License-Identifier: MIT
// The pure core of this folder: what the kernel said -> the host's entries (PX-2, PX-3). No system
// calls; callable from any thread.
#pragma once

#include <vector>

#include "broker/host/added_router.h"
#include "broker/host/snapshot.h"
#include "netlink/kernel_state.h"

namespace px::broker {

// The full cross product of each interface's next hops and the host's sources of the same family,
// numbered; with what is own and what is directly connected. The routers that were added are next
// hops of the interfaces that have their network.
[[nodiscard]] Snapshot snapshot_of(const kernel::State& state,
                                   const std::vector<AddedRouter>& added = {});

}  // namespace px::broker
