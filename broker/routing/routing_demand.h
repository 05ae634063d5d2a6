// SPDX-License-Identifier: MIT
// What the plans need of the kernel's policy routing: the routing tables that a socket's mark
// chooses (of next hops by rule, and of listening sockets), the marks they have been given, and the
// port routes of SCTP. Plain values: publish makes them of policy and snapshot, the daemon of
// programs' requests, and this folder carries them out.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/routing/egress.h"
#include "libbundle/core/address.h"

namespace px::broker {

// The route of one family's packets in a table.
struct TableRoute {
  std::uint32_t interface_index = 0;
  std::optional<bundle::Address> next_hop;  // absent: none is needed (tunnels)
  // Whether the networks connected to the interface stand in the table too, so that neighbours are
  // reached without the next hop.
  bool with_connected = false;

  friend auto operator<=>(const TableRoute&, const TableRoute&) = default;
};

// One routing table. What it is for, its key, keeps its mark; its routes may change. Without a
// route, a family's packets are unreachable.
struct RoutingTable {
  std::string key;
  std::optional<TableRoute> ipv4;
  std::optional<TableRoute> ipv6;

  friend auto operator<=>(const RoutingTable&, const RoutingTable&) = default;
};

struct RoutingDemand {
  std::vector<RoutingTable> tables;
  // By interface index, the key of the table that answers to calls received there leave by; empty
  // where no profile has `listen: received-interface`.
  std::map<std::uint32_t, std::string> received;
  std::vector<PortRoute> ports = {};

  [[nodiscard]] bool empty() const { return tables.empty() && received.empty() && ports.empty(); }
  friend bool operator==(const RoutingDemand&, const RoutingDemand&) = default;
};

// The mark of listening sockets whose answers leave by the interface that called; not a table's.
inline constexpr char kReceivedKey[] = "received";

// SO_MARK values by key, host byte order, under the policy's mark mask.
using Marks = std::map<std::string, std::uint32_t>;

}  // namespace px::broker
