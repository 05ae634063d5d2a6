// SPDX-License-Identifier: MIT
// What belongs to this very process of the session with the broker, and not to its parent: on a
// page that the kernel wipes to zeros in a forked child. One static instance, started by the
// constructor; afterwards callable from any thread and from signal handlers, and from a vfork child
// without harm to its parent. Changes no errno.
#pragma once

#include <atomic>
#include <cstdint>

namespace px::shim {

class ProcessState {
 public:
  struct Words {
    std::atomic<std::int32_t> owner;     // pid; a vfork child's differs
    std::atomic<std::uint64_t> broker;   // the instance that hello was said to; 0: none
    std::atomic<std::int64_t> retry_at;  // ms; no further hello that got no answer before
    // The plan's recheck that hello was said after. No two plans ever have the same, but for 0.
    std::atomic<std::uint32_t> rechecked;
    std::atomic<std::uint32_t> greeting;  // 1: a thread is saying hello (Turn)
    std::atomic<std::int32_t> child;  // pid of the last vfork child that said hello itself; or 0
  };

  // Once, before any other call.
  void start();

  [[nodiscard]] Words& words() { return *words_; }
  [[nodiscard]] const Words& words() const { return *words_; }

  // False in a vfork child: it shares its parent's memory, and may use what is there, but what it
  // says to the broker is not its parent's doing.
  [[nodiscard]] bool is_own();

  [[nodiscard]] static std::int32_t own_pid();

 private:
  Words process_wide_{};  // where the kernel cannot wipe a page on fork
  Words* words_ = &process_wide_;
};

}  // namespace px::shim
