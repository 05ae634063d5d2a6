// SPDX-License-Identifier: MIT
// How px's own routing rules and tables are told from everyone else's in the kernel: by a protocol
// number on every rule and route, and a range of tables. Pure; callable from any thread.
#pragma once

#include <cstdint>

#include "netlink/kernel_state.h"

namespace px::broker {

// RTA/FRA_PROTOCOL; nobody's in iproute2's rt_protos.
inline constexpr std::uint8_t kOwnProtocol = 112;
// The table of the n-th mark is this + n, n from 1.
inline constexpr std::uint32_t kOwnTableBase = 0x70780000;
inline constexpr std::uint32_t kMostTables = 0xffff;

[[nodiscard]] bool is_own(const kernel::Rule& rule);
[[nodiscard]] bool is_own(const kernel::Route& route);

// The state without what px itself put there, which is no part of the host's own routing.
[[nodiscard]] kernel::State without_own_routing(kernel::State state);

}  // namespace px::broker
