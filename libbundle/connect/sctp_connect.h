// SPDX-License-Identifier: MIT
// Connects an SCTP socket to a bundle: one association with all addresses of a host, which the
// kernel tries in turn, a stagger apart; alternatives one after another (PB-4, PB-5, PB-8). May
// change errno.
#pragma once

#include <cstdint>

#include "libbundle/connect/egress.h"
#include "libbundle/core/bundle.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

// Retransmission times that keep a path's loss short, for every SCTP socket before it listens or
// connects; the sockets that it accepts inherit them. Addresses of a peer whose first answer was
// lost are confirmed after half the initial time, and a dead path is left after the least (RFC
// 9260, section 16).
inline constexpr std::uint32_t kSctpInitialMs = 200;
inline constexpr std::uint32_t kSctpLeastMs = 100;
inline constexpr std::uint32_t kSctpMostMs = 1000;
void tune_sctp(const SystemCalls& system, int fd);

struct SctpTimes {
  std::uint32_t stagger_ms = 0;  // a member's time alone
  bool tcp_beside = false;
};

// As connect(2) of `fd`, a one-to-one SCTP socket of family AF_INET or AF_INET6, to the host that
// the bundle names; an IPv4 socket takes the IPv4 members.
// - A member that refuses is left out, and the rest tried at once. A host that does not answer at
//   any address costs about 2 s; where the bundle has an alternative, a few tenths of a second, and
//   the 2 s after all others.
// - `tcp_beside`: ETIMEDOUT as soon as TCP gets through and SCTP has had its time. The program is
// to
//   go on to TCP.
// - A non-blocking socket waits for an answer for up to 1.5 s, unless one is known already; then
//   EINPROGRESS.
// - Signals and SO_SNDTIMEO end a blocking call as they end TCP's. EALREADY and EISCONN: the socket
//   was connecting or connected before the call.
// - Of several failures the most telling: ECONNREFUSED before EHOSTUNREACH before ETIMEDOUT.
[[nodiscard]] Errno sctp_connect(const SystemCalls& system, Egress& egress, int fd,
                                 const Bundle& bundle, const SctpTimes& times);

}  // namespace px::bundle
