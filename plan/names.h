// SPDX-License-Identifier: MIT
// What a plan says about looking names up (abi_half.h), and how long a lookup takes at most: broker
// and program count alike, so that neither waits for what the other has given up. Pure; callable
// from any thread and from signal handlers.
#pragma once

#include <cstdint>

#include "plan/abi_types.h"

namespace px::plan {

using NameSettings = px_name_settings;

inline constexpr std::uint8_t kMostNameServers = PX_NAME_SERVERS;
inline constexpr std::uint8_t kLongestNameTimeoutS = PX_NAME_LONGEST_TIMEOUT_S;
inline constexpr std::uint8_t kMostNameAttempts = PX_NAME_MOST_ATTEMPTS;

// Names that nobody answers: of a profile that the policy no longer has.
inline constexpr NameSettings kNoNameServers{NamesFrom::kProfile, 0, 0, 0};

// The settings with each value in its range; what is no `from` fails closed.
[[nodiscard]] NameSettings valid_name_settings(const NameSettings& settings);

// How long the server of that index is waited for: as libc does, the later ones share what doubles
// from one to the next, and none is waited for less than a second.
[[nodiscard]] std::uint32_t name_timeout_ms(const NameSettings& settings, std::uint8_t server);
// How long all of them together, as often as they are asked.
[[nodiscard]] std::uint32_t lookup_limit_ms(const NameSettings& settings);

}  // namespace px::plan
