// SPDX-License-Identifier: MIT
// A socket of px's own that finds out whether a member answers. The kernel holds back the
// acknowledgement that would complete the handshake (TCP_DEFER_ACCEPT, for 200 ms), and closing the
// probe resets it, so no server's accept(2) ever returns it. Always plain TCP. Wants signals held
// (held_signals.h). May change errno.
#pragma once

#include <sys/socket.h>

#include "libbundle/connect/egress.h"
#include "libbundle/core/address.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

// A connecting descriptor, for which poll(2) reports POLLOUT once it is decided; or a negative
// errno, the member's. `no_socket` is set where there can be no probe at all.
[[nodiscard]] int open_probe(const SystemCalls& system, Egress& egress, sa_family_t family,
                             const Endpoint& member, bool* no_socket);

// Once poll(2) has reported the probe: 0 where the member answered, or the errno.
[[nodiscard]] int probe_result(const SystemCalls& system, int probe);

// Resets the connection before the close: a close alone would not, where a child that was forked
// meanwhile has the descriptor, too.
void close_probe(const SystemCalls& system, int probe);

}  // namespace px::bundle
