// SPDX-License-Identifier: MIT
#include "preload/session/turn.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

#include "preload/process/clock.h"

namespace px::shim {
namespace {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

constexpr std::uint32_t kFree = 0;
constexpr std::uint32_t kTaken = 1;

}  // namespace

Turn::Turn(std::atomic<std::uint32_t>& word, std::int64_t patience_ms) : word_(word) {
  const std::int64_t deadline = monotonic_ms() + patience_ms;
  for (;;) {
    std::uint32_t free = kFree;
    came_ = word_.compare_exchange_strong(free, kTaken, std::memory_order_acq_rel);
    const std::int64_t left = deadline - monotonic_ms();
    if (came_ || left <= 0) return;
    const timespec time{.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1'000'000};
    (void)::syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, kTaken, &time, nullptr, 0);
  }
}

Turn::~Turn() {
  if (!came_) return;
  word_.store(kFree, std::memory_order_release);
  (void)::syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace px::shim
