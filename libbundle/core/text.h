// SPDX-License-Identifier: MIT
// A bundle's canonical text, and bundles compared as sets: two bundles are of the same hosts and
// addresses exactly where their texts are equal. Ports, flags and order of preference do not count.
// No heap, no locks, libc only: callable from any thread and from signal handlers.
#pragma once

#include <compare>
#include <cstddef>
#include <span>
#include <string_view>

#include "libbundle/core/bundle.h"

namespace px::bundle {

// Room for any bundle's text and its NUL: NI_MAXHOST.
inline constexpr std::size_t kBundleTextSize = 1025;

// The bundle in canonical order: IPv4 before IPv6, then by the bytes of the address, then by scope;
// alternatives likewise, by their first endpoints.
[[nodiscard]] Bundle canonical(const Bundle& bundle);

// The order of the canonical forms: equal where they have the same alternatives with the same
// addresses.
[[nodiscard]] std::strong_ordering compare(const Bundle& a, const Bundle& b);

// `<a,b|c>` in canonical order, addresses as address_text writes them, `%zone` behind scoped ones
// (zone.h, by a system call), no blanks, no ports. parse_notation reads it. `<>` for no
// endpoint. The view points into `buffer`, and a NUL follows.
[[nodiscard]] std::string_view bundle_text(const Bundle& bundle,
                                           std::span<char, kBundleTextSize> buffer);

}  // namespace px::bundle
