// SPDX-License-Identifier: MIT
// What a policy needs of the kernel's policy routing, and so of CAP_NET_ADMIN: next hops that an
// interface does not take by itself, and routes of servers' answers (PX-2, PX-5). Besides, what a
// mark makes better (MarkUse), and what can be done without it. Pure.
#pragma once

#include <string>
#include <vector>

#include "broker/config/policy.h"
#include "broker/host/snapshot.h"
#include "broker/routing/routing_demand.h"

namespace px::broker {

// The tables, each once, sorted by key: "via INTERFACE ROUTER" for a next hop that a rule's, a
// server's or `dns`' `via` selects, "listen PROFILE" for received-source, "received INTERFACE" for
// received-interface. A family has a route where the host has an entry for it now. A table of a
// next hop that is gone has none.
[[nodiscard]] RoutingDemand demand_of(const Policy& policy, const Snapshot& snapshot);

// The key of the mark that the profile's listening sockets are given; empty for none.
[[nodiscard]] std::string listen_key(const Profile& profile);

// What a broker that cannot set marks cannot do, at its place in the policy: gateways that rules,
// servers or lookups use and that their interfaces do not take by themselves on this host, and
// `listen` modes other than system. `why` it cannot is part of each message. Empty where the policy
// needs no mark.
[[nodiscard]] std::vector<Diagnostic> without_marks(const Policy& policy, const Snapshot& snapshot,
                                                    const std::string& why);

}  // namespace px::broker
