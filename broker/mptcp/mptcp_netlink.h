// SPDX-License-Identifier: MIT
// The kernel's MPTCP path manager over generic netlink: has it make subflows, and hears what
// becomes of connections. Needs CAP_NET_ADMIN over the network namespace. Single-threaded.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "broker/mptcp/connections.h"
#include "broker/routing/member_egress.h"
#include "netlink/generic_family.h"
#include "netlink/request_socket.h"
#include "util/error.h"
#include "util/fd.h"

namespace px::broker {

struct MptcpEvent {
  enum class Kind { kCreated, kClosed, kSubflowUp, kSubflowDown };
  Kind kind = Kind::kCreated;
  MptcpToken token = 0;
  MptcpPeer peer;  // of the connection, or of the subflow; not of kClosed
};

struct SubflowAttempt {
  MptcpToken token = 0;
  MemberEgress egress;
  std::uint8_t local_id = 0;  // MptcpConnections::local_id() of source_of(egress)
};

// 0.0.0.0 or ::, where the kernel is to choose.
[[nodiscard]] bundle::Address source_of(const MemberEgress& egress);

class MptcpNetlink {
 public:
  // Hears events from now on. An error where the kernel has no MPTCP, or no privilege is there.
  [[nodiscard]] static Expected<MptcpNetlink> open();

  // An errno, or 0: the SYN is on its way, and an event will tell what came of it. ENOTCONN: the
  // peer has not acknowledged anything yet. EINVAL: no such connection, or the path manager is the
  // kernel's own.
  [[nodiscard]] int create(const SubflowAttempt& attempt);

  // To be polled for reading.
  [[nodiscard]] int events_fd() const { return events_.get(); }
  // Hands over what has come; false where more has come than could be kept.
  [[nodiscard]] bool read_events(const std::function<void(const MptcpEvent&)>& heard);

 private:
  MptcpNetlink(netlink::RequestSocket commands, Fd events, netlink::GenericFamily family)
      : commands_(std::move(commands)), events_(std::move(events)), family_(std::move(family)) {}

  netlink::RequestSocket commands_;
  Fd events_;
  netlink::GenericFamily family_;
};

}  // namespace px::broker
