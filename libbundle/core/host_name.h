// SPDX-License-Identifier: MIT
// What a host may be called (RFC 1123, and `_`, which real names have), without resolving it.
// Letters are compared without regard to case, and are ASCII: internationalized names stand in
// their ASCII form (xn--). Pure: callable from any thread and from signal handlers.
#pragma once

#include <cstddef>
#include <string_view>

namespace px::bundle {

inline constexpr std::size_t kMostLabel = 63;
inline constexpr std::size_t kMostHostName = 253;  // without the final dot

// Labels of 1 to 63 letters, digits, `-` and `_`, none with a `-` at an end; 253 bytes; one dot may
// follow.
[[nodiscard]] bool valid_host_name(std::string_view name);

// Whether the last label is a number, decimal or hexadecimal: resolvers take such names for IPv4
// addresses in forms of old (`127.1`, `0x7f000001`).
[[nodiscard]] bool ends_in_number(std::string_view name);

[[nodiscard]] bool equal_names(std::string_view a, std::string_view b);

// Whether the name has `suffix`, which begins with a dot, behind something else.
[[nodiscard]] bool ends_with_label(std::string_view name, std::string_view suffix);

}  // namespace px::bundle
