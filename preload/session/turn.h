// SPDX-License-Identifier: MIT
// One thread of a process talks to the broker at a time; the others wait for it, since its answer
// is theirs. On a word of the page that is wiped in a forked child: what a thread of the parent
// holds is not held there. For callers that block signals, as a handler could wait for its own
// thread. May change errno.
#pragma once

#include <atomic>
#include <cstdint>

namespace px::shim {

class Turn {
 public:
  // Waits until the word is 0, or for as long as `patience_ms`.
  Turn(std::atomic<std::uint32_t>& word, std::int64_t patience_ms);
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn();

  // False where that was too long.
  [[nodiscard]] bool came() const { return came_; }

 private:
  std::atomic<std::uint32_t>& word_;
  bool came_ = false;
};

}  // namespace px::shim
