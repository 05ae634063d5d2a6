// SPDX-License-Identifier: MIT
// An egress: interface, source address and next hop of leaving packets. And a port route: the
// egress of what leaves one SCTP port for one destination. Values that the daemon makes of plans'
// entries. They outlast a broker as text. Pure; callable from any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libbundle/core/address.h"

namespace px::broker {

struct Egress {
  std::string interface;
  bundle::Address source;
  std::optional<bundle::Address> next_hop;  // absent: the destination is a neighbour

  friend auto operator<=>(const Egress&, const Egress&) = default;
};

// The key of the egress's routing table: "port INTERFACE SOURCE" or "port INTERFACE SOURCE ROUTER".
[[nodiscard]] std::string to_key(const Egress& egress);
// Nothing for a key of anything else.
[[nodiscard]] std::optional<Egress> egress_from_key(std::string_view key);

// The kernel tells SCTP's packets by their ports alone: it gives them no mark.
struct PortRoute {
  std::uint16_t port = 0;                      // local, host byte order
  std::optional<bundle::Address> destination;  // absent: every other one
  std::optional<Egress> egress;                // absent: as the host routes it, or
  bool unreachable = false;

  friend auto operator<=>(const PortRoute&, const PortRoute&) = default;
};

}  // namespace px::broker
