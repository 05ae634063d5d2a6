// SPDX-License-Identifier: MIT
// Reads all links, addresses, routes and rules of the caller's network namespace, by rtnetlink
// dumps. Needs no privilege; keeps nothing open. Blocks for as long as the dumps take.
#pragma once

#include "netlink/kernel_state.h"
#include "util/error.h"

namespace px::netlink {

// A dump that a change broke into is made again, a bounded number of times. The four dumps come one
// after another: subscribe first (kernel_state_changes.h) to hear of changes between them.
[[nodiscard]] Expected<kernel::State> read_kernel_state();

}  // namespace px::netlink
