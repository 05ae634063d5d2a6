// SPDX-License-Identifier: MIT
// Adds routes and rules to the kernel, and removes them: what parse.h reads, written. Each call is
// one request by a socket of Protocol::kRoute and gives 0, or the kernel's errno. Needs
// CAP_NET_ADMIN.
#pragma once

#include "netlink/kernel_state.h"
#include "netlink/request_socket.h"

namespace px::netlink {

// Of the kinds kUnicast, with one next hop, and kDeny (unreachable). A route of the same table,
// destination and metric is replaced.
[[nodiscard]] int add_route(RequestSocket& socket, const kernel::Route& route);
// ESRCH or ENOENT: it is not there.
[[nodiscard]] int remove_route(RequestSocket& socket, const kernel::Route& route);

// All selectors but `selects_some` and `suppressed_length`; ports only together with a protocol.
// EEXIST: it is there already.
[[nodiscard]] int add_rule(RequestSocket& socket, const kernel::Rule& rule);
// ENOENT or ESRCH: it is not there.
[[nodiscard]] int remove_rule(RequestSocket& socket, const kernel::Rule& rule);

}  // namespace px::netlink
