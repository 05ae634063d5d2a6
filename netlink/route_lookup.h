// SPDX-License-Identifier: MIT
// Asks the kernel which way a packet would take that is bound to an interface and a source: with
// all of the host's routes and rules, as no copy of them could say.
#pragma once

#include <cstdint>
#include <optional>

#include "libbundle/core/address.h"
#include "util/error.h"

namespace px::netlink {

// The router; nothing for a neighbour. An error where the interface has no way there.
[[nodiscard]] Expected<std::optional<bundle::Address>> look_up_router(
    const bundle::Address& destination, std::uint32_t interface_index,
    const bundle::Address& source);

}  // namespace px::netlink
