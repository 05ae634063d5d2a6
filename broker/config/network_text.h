// SPDX-License-Identifier: MIT
// Destinations and ports, from a policy's text to networks and ranges of the model. An error is the
// message alone; the caller knows its place. Pure: callable from any thread of the broker.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "broker/config/policy.h"

namespace px::broker {

// Whether a word of `to` is meant as a name or a pattern of names (name_pattern_text.h); else as a
// network.
[[nodiscard]] bool means_name(std::string_view text);

// The networks of one word of `to`: a network in CIDR (RFC 4632, RFC 4291 section 2.3), an IPv4
// network with a netmask, an address or `any`. An IPv6 network that would hold the IPv4-mapped
// addresses, as ::/0 does, comes as the several networks that make it up without those: it says
// nothing about IPv4.
[[nodiscard]] tl::expected<std::vector<Network>, std::string> parse_destination(
    std::string_view text);

// A port, 1 to 65535, or LOW-HIGH.
[[nodiscard]] tl::expected<PortRange, std::string> parse_ports(std::string_view text);

}  // namespace px::broker
