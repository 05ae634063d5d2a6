// SPDX-License-Identifier: MIT
// What a process holds of the broker: the mapped plan, its counters page, and whether it has said
// hello. No descriptor, thread or lock: programs close what they do not know, fork with threads
// running and connect in signal handlers. One static instance, started by the constructor;
// afterwards callable from any thread and from signal handlers, and from a vfork child without harm
// to its parent. Changes no errno.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "plan/counters.h"
#include "plan/plan.h"
#include "preload/hello.h"
#include "preload/settings.h"

namespace px::shim {

class PlanHolder {
 public:
  using SayHello = HelloAnswer (*)(const Settings&);

  constexpr explicit PlanHolder(SayHello say_hello) : say_hello_(say_hello) {}

  // Maps the published plan, if there is one yet. Once, before any other call.
  void start(const Settings& settings);

  // Whether there is a plan, and it says kSystem to whatever may be asked.
  [[nodiscard]] bool says_nothing() const;

  // The verdict, after as much of a hello as it needs; kFail without a plan or without the broker's
  // welcome.
  [[nodiscard]] plan::Verdict decide(const plan::Call& call);

  // Says hello if that is still due; without a welcome, what depends on the plan fails.
  [[nodiscard]] bool introduce();
  // What the answers of servers leave by; kSystem, and nothing, without a plan.
  [[nodiscard]] plan::ListenMode listen_mode() const;
  [[nodiscard]] std::optional<plan::Entry> listen_entry(const plan::Call& call) const;
  // Of the plan; 0 without one.
  [[nodiscard]] std::uint64_t generation() const;

  using Counter = std::atomic<std::uint64_t> plan::Counters::*;
  // One more, where there is a counters page.
  void count(Counter counter);

 private:
  // What is this very process's own: wiped to zeros in a forked child.
  struct Standing {
    std::atomic<std::int32_t> owner;     // pid; a vfork child's differs
    std::atomic<std::uint64_t> greeted;  // instance_key() that hello was said to
    std::atomic<std::int64_t> retry_at;  // ms; no further first hello before
  };

  [[nodiscard]] std::optional<plan::Plan> current() const;
  [[nodiscard]] std::uint64_t instance_key() const;
  [[nodiscard]] bool owns_standing();
  [[nodiscard]] bool greet();
  [[nodiscard]] bool greet_first();
  void greet_again(std::uint64_t before, std::uint64_t key);
  // One hello, and what it brought mapped; whether there is a plan now.
  [[nodiscard]] bool ask(bool first, bool with_counters);
  [[nodiscard]] bool adopt(const HelloAnswer& answer, bool with_counters);
  void adopt_plan(const HelloAnswer& answer);
  void adopt_counters(int fd);
  void complain(const HelloAnswer& answer);

  const SayHello say_hello_;
  Settings settings_{};
  Standing process_wide_{};  // where the kernel cannot wipe a page on fork
  Standing* standing_ = &process_wide_;
  std::atomic<const void*> plan_{nullptr};
  std::atomic<plan::Counters*> counters_{nullptr};
  std::atomic<bool> welcomed_{
      false};  // by any broker, in this process or the one it is forked from
  std::atomic<bool> complained_{false};
};

}  // namespace px::shim
