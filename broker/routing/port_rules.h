// SPDX-License-Identifier: MIT
// The rules and routes that carry out port routes: a rule for each peer, which looks in the table
// of the peer's egress, and a rule behind them for every other peer. Pure; callable from any
// thread.
#pragma once

#include <vector>

#include "broker/routing/routing_state.h"
#include "netlink/kernel_state.h"

namespace px::broker {

// Adds them. A peer is unreachable while its egress's interface is gone. `allocator` has the keys
// of all egresses.
void add_port_rules(RoutingState& state, const std::vector<PortRoute>& ports,
                    const MarkAllocator& allocator, const kernel::State& kernel);

// The port routes that px's rules in the kernel stand for. Ports with tables that the allocator
// does not know are left out: they are another broker's.
[[nodiscard]] std::vector<PortRoute> found_ports(const kernel::State& kernel,
                                                 const MarkAllocator& allocator);

}  // namespace px::broker
