// SPDX-License-Identifier: MIT
// How long members took to answer this process: one that is far away and healthy is not to cost a
// SYN to the next one. A fixed table, the newest in its place. One static instance, lock-free: any
// thread, any signal handler.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "libbundle/core/address.h"

namespace px::shim {

class RoundTrips {
 public:
  // A network that has become faster is noticed soon, one that has become slower at once.
  void add(const bundle::Endpoint& member, std::int64_t took_ms) {
    const auto took = static_cast<std::uint64_t>(std::clamp<std::int64_t>(took_ms, 1, kMostMs));
    place(member).store(digest(member) << 16 | took, std::memory_order_relaxed);
  }
  // 0: not known.
  [[nodiscard]] std::uint32_t of(const bundle::Endpoint& member) const {
    const std::uint64_t word = places_[digest(member) / 2 % kSize].load(std::memory_order_relaxed);
    return word >> 16 == digest(member) ? static_cast<std::uint32_t>(word & 0xffff) : 0;
  }

 private:
  static constexpr std::size_t kSize = 64;
  static constexpr std::int64_t kMostMs = 1'000;

  // 48 bits that are never 0.
  [[nodiscard]] static std::uint64_t digest(const bundle::Endpoint& member) {
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio
    const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(member.address.bytes);
    const std::uint64_t mixed = (std::rotl(halves[0], 29) ^ halves[1] ^ member.scope) * kOdd;
    return (mixed >> 16) | 1;
  }
  [[nodiscard]] std::atomic<std::uint64_t>& place(const bundle::Endpoint& member) {
    return places_[digest(member) / 2 % kSize];
  }

  std::array<std::atomic<std::uint64_t>, kSize> places_{};
};

}  // namespace px::shim
