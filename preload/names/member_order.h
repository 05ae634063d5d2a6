// SPDX-License-Identifier: MIT
// What the plan, and what is known of who answers, say of a bundle's members before anybody is
// asked. Callable from any thread and from signal handlers; changes no errno.
#pragma once

#include "libbundle/core/bundle.h"
#include "preload/process/system_calls.h"
#include "preload/session/plan_holder.h"

namespace px::shim {

// The members in the order in which a program is to try them one by one: as they are, but what is
// known not to answer, or the policy does not let through, last.
[[nodiscard]] bundle::Bundle best_first(PlanHolder& holder, const bundle::Bundle& bundle);

// The members in the order in which libc would list them, as far as it matters to programs that try
// the first one alone: IPv6 before IPv4 (RFC 6724), where the first of them has a way there at all
// (a system of one family does not). Sends nothing: the way is asked for by a datagram socket.
[[nodiscard]] bundle::Bundle ipv6_first(const SystemCalls& system, PlanHolder& holder,
                                        const bundle::Bundle& bundle);

// Whether every member is the host itself or directly connected, as far as the plan says: where
// MPTCP has nothing to gain.
[[nodiscard]] bool all_near(PlanHolder& holder, const bundle::Bundle& bundle);

}  // namespace px::shim
