// SPDX-License-Identifier: MIT
// The counters page that the broker gave this process: how many calls px steered, refused or left
// unsteered, for pxctl. One static instance. Changes no errno, but for adopt().
#pragma once

#include <atomic>
#include <cstdint>

#include "plan/counters.h"
#include "preload/session/process_state.h"

namespace px::shim {

class CountersPage {
 public:
  using Counter = std::atomic<std::uint64_t> plan::Counters::*;

  constexpr explicit CountersPage(const ProcessState& process) : process_(process) {}

  // One more, where this process has a page: a forked child has its parent's until it has said
  // hello itself.
  void count(Counter counter) const {
    if (process_.words().broker.load(std::memory_order_relaxed) == 0) return;
    plan::Counters* counters = page_.load(std::memory_order_acquire);
    if (counters != nullptr) (counters->*counter).fetch_add(1, std::memory_order_relaxed);
  }

  // Maps the page of a welcome. The descriptor stays the caller's.
  void adopt(int fd);

 private:
  const ProcessState& process_;
  std::atomic<plan::Counters*> page_{nullptr};
};

}  // namespace px::shim
