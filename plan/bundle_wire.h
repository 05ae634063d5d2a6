// SPDX-License-Identifier: MIT
// What programs tell the broker about bundles and ask of it, as messages (message.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "libbundle/bundle.h"
#include "libbundle/core/address.h"
#include "libbundle/core/bundle.h"
#include "plan/health.h"
#include "plan/wire.h"

namespace px::plan {

// Whether, or when, one member of a bundle answered; the report itself is not answered. It needs no
// hello, since it is about the sender's own user alone (health.h).
struct HealthReport {
  MessageHeader header;
  std::uint32_t interface_index;    // HealthKey::interface_index
  std::uint64_t network_namespace;  // SO_NETNS_COOKIE of the program's socket; 0: not known
  Address address;
  std::uint16_t port;   // host byte order
  std::uint16_t alive;  // 1: it answered; 0: it did not, while another did
  HealthFact fact;
  std::uint8_t reserved;
  std::uint16_t round_trip_ms;     // 1 to kMostRoundTripMs, of HealthFact::kRoundTrip; else 0
  char profile[kProfileNameSize];  // NUL-terminated: whose plan the program decides by

  [[nodiscard]] bool is_valid() const;
};

// The socket that comes with it is to have a path to each of these members. The egress of each is
// what the plan of the program's session says; the program names none itself. An SCTP socket is
// bound to nothing, or was bound by the broker before: the broker binds it. An MPTCP socket is
// connected, or about to be.
struct ExtraPaths {
  MessageHeader header;
  std::uint16_t port;   // host byte order, of every member
  std::uint16_t count;  // of members, at least 1
  struct Member {
    Address address;
    std::uint32_t scope;            // interface index of a link-local address; 0: none
  } members[bundle::kMostMembers];  // after the last: 0

  [[nodiscard]] bool is_valid() const;
};

}  // namespace px::plan
