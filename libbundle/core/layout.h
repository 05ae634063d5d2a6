// SPDX-License-Identifier: MIT
// struct sockaddr_bundle and Bundle, one made of the other. The bytes of a sockaddr come from the
// program: any bytes, of any length and alignment, are safe to read. No heap, no locks,
// libc only: callable from any thread and from signal handlers.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "libbundle/core/bundle.h"

namespace px::bundle {

// What is wrong with bytes that should be a sockaddr_bundle. The values are those of BUNDLE_E* in
// bundle.h.
enum class LayoutFault : std::uint8_t {
  kNone,
  kFamily,   // not AF_BUNDLE, or no address at all
  kLength,   // sb_len does not fit what was passed, or does not end where the last address does
  kCount,    // no address, or more than kMostMembers
  kMember,   // what follows is neither a sockaddr_in nor a sockaddr_in6
  kPort,     // an address has another port than sb_port and 0
  kReserved  // a flag that has no meaning, or an alternative that begins at no address
};

[[nodiscard]] LayoutFault check_layout(const sockaddr* address, socklen_t length);

// The bundle in a sockaddr_bundle that check_layout finds no fault with, else nothing. `length` may
// be more than the bundle takes. Every endpoint has the bundle's port. Of addresses that are there
// twice, v4-mapped ones included, one is kept (see BundleBuilder).
[[nodiscard]] std::optional<Bundle> bundle_from_sockaddr(const sockaddr* address, socklen_t length);

// Writes the bundle, of at most `limit` bytes, to `storage`, which has room for as many and any
// alignment. What does not fit is left out, from the least preferred on, and BUNDLE_TRUNCATED set.
// The port is that of the first endpoint. Returns the length (sb_len); 0, and nothing is written,
// where the bundle is empty or not even its first endpoint fits.
[[nodiscard]] socklen_t sockaddr_from_bundle(const Bundle& bundle, void* storage,
                                             std::size_t limit = BUNDLE_SIZE_USUAL);

}  // namespace px::bundle
