// SPDX-License-Identifier: MIT
// What the plan and the members' known health say of a bundle's members before anybody is asked.
// Callable from any thread and from signal handlers; changes no errno.
#pragma once

#include "libbundle/core/bundle.h"
#include "preload/process/system_calls.h"
#include "preload/session/decider.h"
#include "preload/session/member_health.h"

namespace px::shim {

// The members in the order in which a program is to try them one by one: as they are, but last
// those that are known not to answer, or that the policy does not let through.
[[nodiscard]] bundle::Bundle best_first(Decider& decider, const MemberHealth& health,
                                        const bundle::Bundle& bundle);

// The members in the order in which libc would list them, as far as it matters to programs that try
// the first one alone: IPv6 before IPv4 (RFC 6724), where there is a route to the first of them at
// all (a host of one family has none). Sends nothing: a datagram socket is connected to find out.
[[nodiscard]] bundle::Bundle ipv6_first(const SystemCalls& system, Decider& decider,
                                        const bundle::Bundle& bundle);

// Whether every member is the host itself or directly connected, as far as the plan says: where
// MPTCP has nothing to gain.
[[nodiscard]] bool all_near(Decider& decider, const bundle::Bundle& bundle);

}  // namespace px::shim
