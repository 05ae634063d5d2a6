// SPDX-License-Identifier: MIT
// What the kernel's routing says of an IPv6 datagram before it is sent. Needed since, unlike IPv4,
// an IPv6 datagram with both a source and an interface in its control data may leave by another
// interface (see Datagrams). One netlink question and its answer; bare system calls, no descriptor
// kept, no signal delivered meanwhile. Callable from any thread and from signal handlers; changes
// no errno.
#pragma once

#include <cstdint>
#include <optional>

#include "libbundle/core/address.h"

namespace px::shim {

struct Route {
  std::uint32_t interface = 0;
  bundle::Address source;  // the kernel's choice; unspecified where it has none
};

// The route of a datagram with this source (unspecified: the kernel's choice) and interface index.
// Nothing without a route, and where the kernel cannot be asked.
[[nodiscard]] std::optional<Route> probe_route(const bundle::Address& destination,
                                               const bundle::Address& source,
                                               std::uint32_t interface);

}  // namespace px::shim
