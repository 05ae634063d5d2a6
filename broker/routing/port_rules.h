// SPDX-License-Identifier: MIT
// The rules and routes that have what leaves a port of SCTP go by the ways that the plans gave its
// peers: a rule for each peer, that looks in the way's table, and one behind them for every other.
// Pure; callable from any thread.
#pragma once

#include <vector>

#include "broker/routing/routing_state.h"
#include "netlink/kernel_state.h"

namespace px::broker {

// Adds them. A peer whose way's interface is gone is unreachable. `book` has the
// keys of all ways.
void add_port_rules(RoutingState& state, const std::vector<PortRoute>& ports,
                    const MarkAllocator& book, const kernel::State& kernel);

// The ways that px's rules in the kernel stand for, but of ports with tables that the book does not
// know: those are another broker's.
[[nodiscard]] std::vector<PortRoute> found_ports(const kernel::State& kernel,
                                                 const MarkAllocator& book);

}  // namespace px::broker
