// SPDX-License-Identifier: MIT
// What the kernel says of the sources of destinations: their interfaces, networks and states. One
// netlink question, and one for each interface where there are several; bare system calls, no
// descriptor kept. Callable from any thread with signals blocked; may change errno.
#pragma once

#include <span>

#include "preload/names/destination_order.h"

namespace px::shim {

// Fills that in. Where the kernel cannot be asked, all stays as it is.
void add_source_details(std::span<Destination> destinations);

}  // namespace px::shim
