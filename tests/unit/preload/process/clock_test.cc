// SPDX-License-Identifier: MIT
#include "preload/process/clock.h"

#include <gtest/gtest.h>

namespace px::shim {
namespace {

std::int64_t libc_ms(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

void expect_kernels_time() {
  for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_BOOTTIME}) {
    const std::int64_t before = libc_ms(clock);
    const std::int64_t now = clock_ms(clock);
    EXPECT_LE(before, now);
    EXPECT_LE(now, libc_ms(clock));
  }
  EXPECT_LE(coarse_monotonic_ms(), monotonic_ms());
}

TEST(Clock, IsTheKernelsBeforeItIsFound) {
  expect_kernels_time();
}

TEST(Clock, IsTheKernelsOnceItIsFound) {
  find_clock();
  expect_kernels_time();
}

}  // namespace
}  // namespace px::shim
