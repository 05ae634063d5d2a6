// SPDX-License-Identifier: MIT
// Connects a stream socket of TCP or MPTCP to whichever member of a bundle answers (PB-5, PB-12).
// The socket itself calls the first member. Where that does not answer within the stagger, probes
// (probe.h) try the others, and the socket then moves to the member that answered. The race lives
// on the caller's stack, 4 KiB, and holds signals back, so that no handler leaves a probe behind.
#pragma once

#include <cstdint>
#include <span>

#include "libbundle/connect/egress.h"
#include "libbundle/core/address.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

struct RaceTimes {
  std::uint32_t stagger_ms = 0;  // a member's time alone before the next one is tried: at least 10
  std::uint32_t dead_after_ms = 0;  // of silence, where another one answers; 0: after the stagger
};

// As connect(2) of `fd`, a TCP or MPTCP socket of family AF_INET or AF_INET6, to one of `members`
// (at least one, in order of preference). Where the socket can reach one member only, this is a
// plain connect(2).
//
// The program sees one connect(2): its socket is afterwards what a connect to that one member
// leaves behind. A socket that is connected or connecting gets the kernel's answer (EISCONN,
// EALREADY, or waiting for the connection), and no race.
//
// - A blocking socket waits for SO_SNDTIMEO (then EINPROGRESS, the first member being called), and
//   for 30 s at most (ETIMEDOUT). EINTR where a handler without SA_RESTART ran meanwhile.
// - A non-blocking socket waits for an answer for up to 1.5 s, unless one is known already; then
//   EINPROGRESS. Where all are known to be dead it waits 20 ms.
// - Where all others refuse, a silent member has 1.2 s; if it is known to be dead, three times as
//   long as the refusals took.
// - Of several failures the most telling: ECONNREFUSED before EHOSTUNREACH before ETIMEDOUT.
// - ETIMEDOUT, too, where a member has answered that a socket of this family cannot reach, and the
//   others have had three times as long: the program is to go on to that member.
// May change errno.
[[nodiscard]] Errno race(const SystemCalls& system, Egress& egress, int fd,
                         std::span<const Endpoint> members, const RaceTimes& times);

}  // namespace px::bundle
