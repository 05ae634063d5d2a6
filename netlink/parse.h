// SPDX-License-Identifier: MIT
// One rtnetlink message -> one plain value. Nothing for messages of another kind or family, those
// that do not parse, and objects that plans do not depend on (cached routes, routes for one type of
// service). Pure; callable from any thread.
#pragma once

#include <linux/netlink.h>

#include <optional>

#include "netlink/kernel_state.h"

namespace px::netlink {

// The message must be whole: nlmsg_len bytes.
[[nodiscard]] std::optional<kernel::Link> parse_link(const nlmsghdr& message);
[[nodiscard]] std::optional<kernel::InterfaceAddress> parse_address(const nlmsghdr& message);
[[nodiscard]] std::optional<kernel::Route> parse_route(const nlmsghdr& message);
// The same for the kernel's answer to a question for one packet's route.
[[nodiscard]] std::optional<kernel::Route> parse_answer(const nlmsghdr& message);
// libnl's own rtnl_rule would hide whether a rule is inverted.
[[nodiscard]] std::optional<kernel::Rule> parse_rule(const nlmsghdr& message);

}  // namespace px::netlink
