// SPDX-License-Identifier: MIT
// A name or a pattern of names, from a policy's text to the model. An error is the message alone;
// the caller knows its place. Pure: callable from any thread of the broker.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "dns/name_pattern.h"

namespace px::broker {

// corp.example or *.corp.example. An address, and what libc would take for one, is no name.
[[nodiscard]] tl::expected<dns::NamePattern, std::string> parse_name_pattern(std::string_view text);

}  // namespace px::broker
