// SPDX-License-Identifier: MIT
// The kernel's clocks in milliseconds, past libc's calls: libraries that fake the time
// (libfaketime) take those over. By the vDSO, where find_clock() has found it: no system call.
// Callable from any thread and from signal handlers; may change errno.
#pragma once

#include <cstdint>
#include <ctime>

namespace px::shim {

// Once, by the constructor.
void find_clock();

[[nodiscard]] std::int64_t clock_ms(clockid_t clock);

[[nodiscard]] inline std::int64_t monotonic_ms() {
  return clock_ms(CLOCK_MONOTONIC);
}

// The same time, up to a tick of the kernel's timer ago: cheaper.
[[nodiscard]] inline std::int64_t coarse_monotonic_ms() {
  return clock_ms(CLOCK_MONOTONIC_COARSE);
}

}  // namespace px::shim
