// SPDX-License-Identifier: MIT
// The hostent that gethostbyname(3) and its kin answer a bundle with: its addresses of one family,
// in the caller's room. Pure; no heap. Callable from any thread.
#pragma once

#include <netdb.h>

#include <cstddef>
#include <span>
#include <string_view>

#include "libbundle/core/bundle.h"

namespace px::shim {

// Room for any bundle's hostent with a name of up to 1,024 bytes.
inline constexpr std::size_t kHostEntryRoom = 2048;

// Writes the addresses of `family` (AF_INET or AF_INET6) in their order; false where the room is
// too small, whose contents are then undefined.
[[nodiscard]] bool write_host_entry(const bundle::Bundle& bundle, int family, std::string_view name,
                                    std::span<char> room, hostent* entry);

// The h_errno for an EAI_* of getaddrinfo(3).
[[nodiscard]] int host_error(int error);

}  // namespace px::shim
