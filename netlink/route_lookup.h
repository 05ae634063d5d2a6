// SPDX-License-Identifier: MIT
// Asks the kernel for the next hop of a packet that is bound to an interface and a source. It goes
// by all of the host's routes and rules, which no copy of them could do.
#pragma once

#include <cstdint>
#include <optional>

#include "libbundle/core/address.h"
#include "util/error.h"

namespace px::netlink {

// The router; nothing for a neighbour. An error where the interface has no route there.
[[nodiscard]] Expected<std::optional<bundle::Address>> look_up_router(
    const bundle::Address& destination, std::uint32_t interface_index,
    const bundle::Address& source);

}  // namespace px::netlink
