// SPDX-License-Identifier: MIT
// A bundle as px works with it: the endpoints of one destination in order of preference, whatever
// it came from (a sockaddr_bundle, a notation, an alias). A value; no heap, no locks, libc only:
// callable from any thread and from signal handlers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "libbundle/bundle.h"
#include "libbundle/core/address.h"

namespace px::bundle {

inline constexpr std::size_t kMostMembers = BUNDLE_MEMBERS_MAX;

struct Bundle {
  std::array<Endpoint, kMostMembers> endpoints{};  // no two with the same address and scope
  std::uint32_t count = 0;
  // Bit i: endpoint i begins another host (sockaddr_bundle::sb_alternatives).
  std::uint32_t alternatives = 0;
  bool implicit = false;   // BUNDLE_IMPLICIT
  bool truncated = false;  // BUNDLE_TRUNCATED

  [[nodiscard]] std::span<const Endpoint> members() const { return {endpoints.data(), count}; }

  // The endpoints of the alternative that begins at `first`; empty where `first` is count. The next
  // one begins behind them.
  [[nodiscard]] std::span<const Endpoint> group_at(std::size_t first) const {
    std::size_t end = first;
    while (end < count && (end == first || (alternatives >> end & 1) == 0)) ++end;
    return members().subspan(first, end - first);
  }
};

}  // namespace px::bundle
