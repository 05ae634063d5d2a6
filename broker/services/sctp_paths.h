// SPDX-License-Identifier: MIT
// The paths of an SCTP association on this host: to each member the source and the egress that the
// plan means (PB-4, PX-4). Asks the kernel for a route where the plan leaves something open.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "broker/host/snapshot.h"
#include "broker/routing/egress.h"
#include "broker/routing/member_egress.h"
#include "util/error.h"

namespace px::broker {

struct SctpPath {
  bundle::Endpoint member;
  bundle::Endpoint source;
  std::optional<Egress> egress;  // absent: by the host's routing table
};

// One for each member, in their order. All or nothing: a program takes what it asked for as
// granted. The error is for people.
[[nodiscard]] Expected<std::vector<SctpPath>> sctp_paths(const std::vector<MemberEgress>& members,
                                                         const Snapshot& snapshot);

// What the kernel does with packets that leave the port: those to a member take its path, all
// others are unreachable, since the peer may announce addresses that the program did not ask for.
[[nodiscard]] std::vector<PortRoute> port_routes(std::uint16_t port,
                                                 const std::vector<SctpPath>& paths);

}  // namespace px::broker
