// SPDX-License-Identifier: MIT
// Reads the whole of what the kernel knows about ways out, by rtnetlink dumps in the caller's
// network namespace. Needs no privilege; keeps nothing open. Blocks for as long as the dumps take.
#pragma once

#include "netlink/kernel_state.h"
#include "util/error.h"

namespace px::netlink {

// A dump that the kernel says was interrupted by a change is made again, a bounded number of times.
// The four dumps are one after another: who must know of changes between them subscribes first.
[[nodiscard]] Expected<kernel::State> read_kernel_state();

}  // namespace px::netlink
