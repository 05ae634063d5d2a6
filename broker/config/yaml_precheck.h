// SPDX-License-Identifier: MIT
// Refuses text that yaml-cpp accepts and that no policy should hold: bytes that are not UTF-8,
// control characters (yaml-cpp takes 0x04 for the end of the file), and quotes that never end.
// Pure: callable from any thread of the broker.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "broker/config/document.h"

namespace px::broker {

inline constexpr std::size_t kLargestText = std::size_t{2} << 20;

// The first byte or character that cannot stand in a policy; nothing where there is none.
[[nodiscard]] std::optional<Problem> precheck_yaml(std::string_view text);

// Whether the quoted scalar at `position` has an end; true for scalars without quotes.
[[nodiscard]] bool quote_ends(std::string_view text, std::size_t position);

}  // namespace px::broker
