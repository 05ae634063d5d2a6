// SPDX-License-Identifier: MIT
// The counters page that the broker gave this process: how many calls px steered, refused or left
// unsteered, for pxctl; and the broker's word that the program may have another profile now. One
// static instance. Changes no errno, but for adopt().
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

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

  // Whether the broker of this instance has asked for a hello by its page; nothing without a page
  // of that broker's. A forked child has its parent's.
  [[nodiscard]] std::optional<bool> recheck(std::uint64_t instance) const {
    const plan::Counters* counters = page_.load(std::memory_order_acquire);
    if (counters == nullptr || maker_.load(std::memory_order_acquire) != instance) {
      return std::nullopt;
    }
    return counters->recheck.load(std::memory_order_acquire) != 0;
  }

  // Maps the page of this broker's welcome. The descriptor stays the caller's.
  void adopt(int fd, std::uint64_t instance);

 private:
  [[nodiscard]] bool map(int fd);

  const ProcessState& process_;
  std::atomic<plan::Counters*> page_{nullptr};
  std::atomic<std::uint64_t> maker_{0};  // the broker's instance; 0: none
};

}  // namespace px::shim
