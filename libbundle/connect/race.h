// SPDX-License-Identifier: MIT
// Connects a stream socket of TCP or MPTCP to whichever member of a bundle answers (PB-5, PB-12).
// The socket itself goes to the first member; where that does not answer within the stagger, the
// others are tried with probes, sockets of ours that no server's accept(2) ever sees, and the
// socket then moves to the member that answered. Keeps nothing: the race lives on the caller's
// stack, with signals held back, so that no handler leaves a probe behind. Callable from any thread
// and from signal handlers; needs 4 KiB of stack.
#pragma once

#include <cstdint>
#include <span>

#include "libbundle/connect/egress.h"
#include "libbundle/core/address.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

// As connect(2) of `fd`, a TCP or MPTCP socket of family AF_INET or AF_INET6, to one of `members`,
// at least one, in order of preference. `stagger_ms` (10 at least): how long a member has to itself
// before the next one is tried. With one that the socket can reach at all it is a plain connect(2).
//
// What the program sees is one connect(2): on success and on failure its socket is what a connect
// to that one member leaves behind. A socket that is connected, or about to be, gets the kernel's
// own answer (EISCONN, EALREADY, or waiting for the connection), and no race. Does not block longer
// than SO_SNDTIMEO says (then EINPROGRESS, the first member under way), nor than 30 s (ETIMEDOUT).
// On a non-blocking socket it takes up to 1.5 s where it is not known who answers; then, or with
// the answer, EINPROGRESS. EINTR where a handler without SA_RESTART ran meanwhile. Of several
// failures the one that says most: ECONNREFUSED before EHOSTUNREACH before ETIMEDOUT. Where a
// member answers that a socket of this family cannot reach, and 0.3 s later none that it can:
// ETIMEDOUT, so that the program goes on to that one. May change errno.
[[nodiscard]] Errno race(const SystemCalls& system, Egress& egress, int fd,
                         std::span<const Endpoint> members, std::uint32_t stagger_ms);

}  // namespace px::bundle
