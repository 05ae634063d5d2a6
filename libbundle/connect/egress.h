// SPDX-License-Identifier: MIT
// What connecting to a bundle asks of its surroundings: the egress (interface, next hop, source) of
// each member, and which members are known to answer. libpx.so answers from the plan, libbundle.so
// leaves sockets unsteered. Callable from any thread and from signal handlers, like all of this
// folder.
#pragma once

#include <cstdint>
#include <span>

#include "libbundle/core/address.h"

namespace px::bundle {

// What connect(2) on a socket is to answer: 0, or its errno.
using Errno = int;

enum class Health : std::uint8_t { kUnknown, kAlive, kDead };

class Egress {
 public:
  // Gives a socket that is not connected, the program's or a probe, the egress of this member. 0,
  // or the errno that a connect to this member is to fail with.
  [[nodiscard]] virtual Errno prepare(int fd, const Endpoint& member) = 0;
  // Whether a socket that was prepared for `from` can be prepared for `to` after it: a stream's
  // device and source cannot be taken back. Where both are the same member, false says that its
  // egress takes more than preparing.
  [[nodiscard]] virtual bool can_move(int fd, const Endpoint& from, const Endpoint& to) = 0;

  // Gives an SCTP socket the egress of each of these members, for what it sends to that member;
  // what it sends elsewhere is dropped. prepare() must accept each member, and must not have been
  // called for this socket; prepare_each() may have been, for other members. False where the host
  // cannot do it: after a first such call, the socket can still be prepared for the first member.
  [[nodiscard]] virtual bool prepare_each(int /*fd*/, std::span<const Endpoint> /*members*/) {
    return false;
  }

  // By the transport of the program's socket: SCTP, or else TCP and MPTCP.
  [[nodiscard]] virtual Health health(const Endpoint& member) = 0;
  // How long the member took to answer when it last did, in milliseconds; 0: not known.
  [[nodiscard]] virtual std::uint32_t round_trip_ms(const Endpoint& /*member*/) { return 0; }
  // The program's own socket was answered after that time.
  virtual void answered(const Endpoint& /*member*/, std::int64_t /*after_ms*/) {}

  // The member answered, or did not while another one, or another transport, did.
  virtual void report(const Endpoint& member, bool alive) = 0;

 protected:
  ~Egress() = default;
};

}  // namespace px::bundle
