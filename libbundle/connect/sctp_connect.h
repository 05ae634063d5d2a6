// SPDX-License-Identifier: MIT
// Connects an SCTP socket to a bundle: one association with all addresses of a host, which the
// kernel tries in turn, a stagger apart; alternatives one after another (PB-4, PB-5, PB-8). Holds
// nothing; libc only; callable from any thread and from signal handlers. May change errno.
#pragma once

#include <cstdint>

#include "libbundle/connect/egress.h"
#include "libbundle/core/bundle.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

// What keeps a path's loss short: to be set on every SCTP socket before it listens or connects, and
// handed down to what it accepts. Addresses of a peer that lost its first answer are confirmed at
// half the first of these times, and a dead path is left at the second (RFC 9260, section 16).
inline constexpr std::uint32_t kSctpInitialMs = 200;
inline constexpr std::uint32_t kSctpLeastMs = 100;
inline constexpr std::uint32_t kSctpMostMs = 1000;
void tune_sctp(const SystemCalls& system, int fd);

// As connect(2) of `fd`, a one-to-one SCTP socket of family AF_INET or AF_INET6, to the host that
// the bundle names. A member that refuses is left out and the rest tried at once. On a non-blocking
// socket it waits for an answer for up to 1.5 s where it is not known who answers, then
// EINPROGRESS. A host of whom nobody answers costs about 2 s. Of several failures the one that says
// most: ECONNREFUSED before EHOSTUNREACH before ETIMEDOUT. An IPv4 socket takes the IPv4 members.
// Signals and SO_SNDTIMEO end a blocking one as they end TCP's; EALREADY and EISCONN are of a
// socket that was connecting or connected before the call.
[[nodiscard]] Errno sctp_connect(const SystemCalls& system, Egress& egress, int fd,
                                 const Bundle& bundle, std::uint32_t stagger_ms);

}  // namespace px::bundle
