// SPDX-License-Identifier: MIT
// What tests of the shim need of a broker: its plan, and a hello that never leaves the process. One
// broker at a time; may be asked by any thread.
#pragma once

#include <unistd.h>

#include <atomic>
#include <functional>
#include <new>

#include "plan/counters.h"
#include "preload/hello.h"
#include "preload/mark_request.h"
#include "shim_plan_fixture.h"

namespace px::shim {

// Answers hello with `plan` and a counters page. Counts in shared memory: forked children too.
class TestBroker {
 public:
  explicit TestBroker(std::uint64_t instance = 7)
      : plan(instance), shared_(2 * plan::kCountersSize), page_(plan::kCountersSize) {
    hellos_ = new (shared_.base()) std::atomic<int>{0};
    here_ = this;
  }
  ~TestBroker() { here_ = nullptr; }

  static HelloAnswer answer(const Settings&) {
    here_->hellos_->fetch_add(1);
    HelloAnswer answer;
    answer.outcome = here_->outcome;
    if (answer.outcome == HelloOutcome::kRefusal) {
      plan::fill_text(answer.reason, "no such\nprofile");
    }
    if (answer.outcome != HelloOutcome::kWelcome) return answer;
    answer.broker_instance = here_->plan.header().broker_instance;
    answer.plan_fd = ::dup(here_->plan.fd());
    answer.counters_fd = ::dup(here_->page_.fd());
    return answer;
  }

  static MarkAnswer mark(const Settings&, int, std::uint32_t mark) {
    MarkAnswer answer;
    answer.marked = here_->on_mark(mark);
    if (!answer.marked) plan::fill_text(answer.reason, "not yours");
    return answer;
  }

  [[nodiscard]] int hellos() const { return hellos_->load(); }
  [[nodiscard]] const plan::Counters& counters() const {
    return *reinterpret_cast<const plan::Counters*>(page_.base());
  }

  HelloOutcome outcome = HelloOutcome::kWelcome;
  std::function<bool(std::uint32_t)> on_mark = [](std::uint32_t) { return false; };
  TestPlan plan;

 private:
  static inline TestBroker* here_ = nullptr;
  SharedFile shared_;
  SharedFile page_;
  std::atomic<int>* hellos_;
};

inline Settings test_settings() {
  Settings settings;
  settings.active = settings.stderr_open = true;
  plan::fill_text(settings.profile, "test");
  plan::fill_text(settings.socket_path, "/nowhere/px.sock");
  return settings;
}

}  // namespace px::shim
