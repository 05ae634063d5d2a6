// SPDX-License-Identifier: MIT
// The sources that px gave to this process's connections, each with the mark of its next hop: a
// program that is told its own address by getsockname, and then waits for calls there (FTP in
// active mode), waits at a choice of px's. A small table; the newest replaces another. One static
// instance, lock-free: any thread, any signal handler, a vfork child. Changes no errno.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "plan/layout.h"

namespace px::shim {

class GivenSources {
 public:
  static constexpr std::size_t kSize = 64;

  void remember(const plan::Address& source, std::uint32_t mark);
  // The mark; nothing for a source that px did not give.
  [[nodiscard]] std::optional<std::uint32_t> mark_of(const plan::Address& source) const;
  // Whether px gave none. One load.
  [[nodiscard]] bool empty() const { return !any_.load(std::memory_order_relaxed); }

 private:
  // Of the source and its mark, in one word.
  std::array<std::atomic<std::uint64_t>, kSize> slots_{};
  std::atomic<bool> any_{false};
};

}  // namespace px::shim
