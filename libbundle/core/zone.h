// SPDX-License-Identifier: MIT
// Zones of scoped IPv6 addresses (RFC 4007): an interface's name or number, as text and as index.
// The kernel is asked, through a socket that is closed again. errno is left alone. No heap, no
// locks: callable from any thread and from signal handlers.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace px::bundle {

inline constexpr std::size_t kZoneTextSize = 16;  // IF_NAMESIZE, NUL included

// Whether a notation can hold the zone: 1 to 15 bytes, nothing that the notation itself, blanks or
// control characters are made of.
[[nodiscard]] bool valid_zone(std::string_view zone);

// The index that the text is, if it is digits alone, else that of the interface with this name; 0
// where there is none. Whether an interface with such a number exists is not checked.
[[nodiscard]] std::uint32_t zone_index(std::string_view zone);

// The interface's name; its number where it is gone, or where zone_index would not read the name as
// this index. The view points into `buffer`.
[[nodiscard]] std::string_view zone_text(std::uint32_t index,
                                         std::span<char, kZoneTextSize> buffer);

}  // namespace px::bundle
