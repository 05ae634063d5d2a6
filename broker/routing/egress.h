// SPDX-License-Identifier: MIT
// A way out that packets take with one of the host's addresses as their source, and where what
// leaves one port of SCTP goes by such ways. Values, made from plans' entries by the daemon,
// carried out by routing; they outlast a broker as text. Pure; callable from any thread.
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
  std::optional<bundle::Address> next_hop;  // absent: what it is for is a neighbour

  friend auto operator<=>(const Egress&, const Egress&) = default;
};

// The key of the way's routing table: "port INTERFACE SOURCE" or "port INTERFACE SOURCE ROUTER".
[[nodiscard]] std::string to_key(const Egress& way);
// Nothing for a key of anything else.
[[nodiscard]] std::optional<Egress> egress_from_key(std::string_view key);

// The kernel tells SCTP's packets by their ports alone: it gives them no mark.
struct PortRoute {
  std::uint16_t port = 0;                      // local, host byte order
  std::optional<bundle::Address> destination;  // absent: every other one
  std::optional<Egress> way;                   // absent: as the system would, or
  bool unreachable = false;

  friend auto operator<=>(const PortRoute&, const PortRoute&) = default;
};

}  // namespace px::broker
