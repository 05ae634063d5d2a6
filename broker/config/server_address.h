// SPDX-License-Identifier: MIT
// A server's address as users write it: ADDRESS, IPV4:PORT or [IPV6]:PORT. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "libbundle/core/address.h"

namespace px::broker {

// Without a port in the text it is `port`, in host byte order. Nothing where the text is no such
// address, has a scope, or the port is 0 or too high.
[[nodiscard]] std::optional<bundle::Endpoint> server_address_in(std::string_view text,
                                                                std::uint16_t port);

}  // namespace px::broker
