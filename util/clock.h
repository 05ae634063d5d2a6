// SPDX-License-Identifier: MIT
// The clocks that the broker shares with programs: milliseconds, as they stand in plans. Callable
// from any thread.
#pragma once

#include <cstdint>
#include <ctime>

namespace px {

[[nodiscard]] inline std::uint64_t milliseconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000000;
}

// CLOCK_MONOTONIC: the clock of a plan's heartbeat.
[[nodiscard]] inline std::uint64_t monotonic_ms() {
  return milliseconds_of(CLOCK_MONOTONIC);
}

// CLOCK_BOOTTIME: the clock of health records.
[[nodiscard]] inline std::uint64_t boottime_ms() {
  return milliseconds_of(CLOCK_BOOTTIME);
}

}  // namespace px
