// SPDX-License-Identifier: MIT
// A socket of ours that finds out whether a member answers, without that a server's accept(2) ever
// sees it: the kernel holds back the acknowledgement that would complete the handshake
// (TCP_DEFER_ACCEPT, for 200 ms), and closing the probe resets it. Always plain TCP. Callable from
// any thread and from signal handlers, with signals held. May change errno.
#pragma once

#include <sys/socket.h>

#include "libbundle/connect/egress.h"
#include "libbundle/core/address.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

// A descriptor that is connecting (POLLOUT tells when that is decided), or a negative errno: what
// the member is to fail with. `no_socket` is set where there can be no probe at all.
[[nodiscard]] int open_probe(const SystemCalls& system, Egress& egress, sa_family_t family,
                             const Endpoint& member, bool* no_socket);

// What became of it: 0 for a member that answered, or the errno. Once poll(2) told of it.
[[nodiscard]] int probe_result(const SystemCalls& system, int probe);

// Resets it before the close, which would not where a child that was forked meanwhile has it too.
void close_probe(const SystemCalls& system, int probe);

}  // namespace px::bundle
