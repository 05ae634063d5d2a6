// SPDX-License-Identifier: MIT
// What programs tell the broker about bundles and ask of it, as messages of wire.h. Fixed sizes,
// native byte order.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "libbundle/bundle.h"
#include "libbundle/core/address.h"
#include "libbundle/core/bundle.h"
#include "plan/wire.h"

namespace px::plan {

// What came of connecting to one member of a bundle; it is not answered. It needs no hello: whoever
// may say it may say it of the programs of its own user alone (health.h).
struct HealthReport {
  MessageHeader header;
  std::uint32_t interface_index;    // HealthKey::interface_index
  std::uint64_t network_namespace;  // SO_NETNS_COOKIE of the program's socket; 0: not known
  Address address;
  std::uint16_t port;   // host byte order
  std::uint16_t alive;  // 1: it answered; 0: it did not, while another did
  std::uint32_t reserved;
  char profile[kProfileNameSize];  // NUL-terminated: whose plan the program decides by
};

// The message, if the packet is exactly one of that type and its values are of their ranges;
// nothing otherwise.
[[nodiscard]] std::optional<HealthReport> parse_health_report(std::span<const std::byte> packet);

// The socket that comes with it is to have a path to each of these members, by the way that the
// plan of the program's session gives each; the program names no way itself. An SCTP socket is
// bound to nothing, the broker binds it, or was bound by the broker before; an MPTCP socket is
// connected, or about to be.
struct ExtraPaths {
  MessageHeader header;
  std::uint16_t port;   // host byte order, of every member
  std::uint16_t count;  // of members, at least 1
  struct Member {
    Address address;
    std::uint32_t scope;  // interface index of a link-local address; 0: none
  } members[bundle::kMostMembers];
};

// Likewise. Members after the last are 0.
[[nodiscard]] std::optional<ExtraPaths> parse_extra_paths(std::span<const std::byte> packet);

}  // namespace px::plan
