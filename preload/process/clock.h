// SPDX-License-Identifier: MIT
// The kernel's clocks in milliseconds, by the vDSO: no system call. Callable from any thread and
// from signal handlers; may change errno.
#pragma once

#include <cstdint>
#include <ctime>

namespace px::shim {

[[nodiscard]] inline std::int64_t clock_ms(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

[[nodiscard]] inline std::int64_t monotonic_ms() {
  return clock_ms(CLOCK_MONOTONIC);
}

// The same time, up to a tick of the kernel's timer ago: cheaper.
[[nodiscard]] inline std::int64_t coarse_monotonic_ms() {
  return clock_ms(CLOCK_MONOTONIC_COARSE);
}

}  // namespace px::shim
