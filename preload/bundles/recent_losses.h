// SPDX-License-Identifier: MIT
// How often members did not answer a short time ago. A program that connects without blocking, to
// many bundles whose first members are dead, is not to wait a whole stagger for each. One static
// instance, lock-free: any thread, any signal handler.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace px::shim {

class RecentLosses {
 public:
  static constexpr std::int64_t kRecentMs = 10'000;
  static constexpr std::uint32_t kLeastStaggerMs = 10;  // RFC 8305, section 5

  // `now`: any clock in milliseconds, always the same one.
  void add(std::int64_t now) {
    const std::uint32_t count = recent(now) ? count_.load(std::memory_order_relaxed) : 0;
    count_.store(std::min<std::uint32_t>(count + 1, kMost), std::memory_order_relaxed);
    last_.store(now, std::memory_order_relaxed);
  }

  // Half of `stagger_ms` for each loss in a row.
  [[nodiscard]] std::uint32_t shortened(std::uint32_t stagger_ms, std::int64_t now) const {
    if (!recent(now)) return stagger_ms;
    const std::uint32_t shorter = stagger_ms >> count_.load(std::memory_order_relaxed);
    return std::min(stagger_ms, std::max(shorter, kLeastStaggerMs));
  }

 private:
  static constexpr std::uint32_t kMost = 8;

  [[nodiscard]] bool recent(std::int64_t now) const {
    return count_.load(std::memory_order_relaxed) != 0 &&
           now - last_.load(std::memory_order_relaxed) < kRecentMs;
  }

  std::atomic<std::uint32_t> count_{0};
  std::atomic<std::int64_t> last_{0};
};

}  // namespace px::shim
