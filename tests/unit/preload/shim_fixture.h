// SPDX-License-Identifier: MIT
// What tests of the shim need of a broker: its plan, and a hello that never leaves the process. One
// broker at a time; may be asked by any thread.
#pragma once

#include <unistd.h>

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <new>
#include <string>

#include "plan/counters.h"
#include "preload/session/hello.h"
#include "preload/session/mark_request.h"
#include "tests/unit/preload/shim_plan_fixture.h"

namespace px::shim {

// Answers hello with `plan` and a counters page. Counts in shared memory: forked children too.
class TestBroker {
 public:
  explicit TestBroker(std::uint64_t instance = 7)
      : plan(instance), shared_(2 * plan::kCountersSize) {
    pages_.emplace_back(plan::kCountersSize);
    hellos_ = new (shared_.base()) std::atomic<int>{0};
    here_ = this;
  }
  ~TestBroker() { here_ = nullptr; }

  static HelloAnswer answer(const Settings&, const HelloRequest& request) {
    here_->hellos_->fetch_add(1);
    {
      const std::lock_guard lock(here_->mutex_);
      here_->hello_profile = request.profile;
      here_->hello_flags = request.flags;
    }
    TestPlan& given = here_->other_plan != nullptr ? *here_->other_plan : here_->plan;
    HelloAnswer answer;
    answer.outcome = here_->outcome;
    if (answer.outcome == HelloOutcome::kRefusal) {
      plan::fill_text(answer.reason, "no such\nprofile");
    }
    if (answer.outcome != HelloOutcome::kWelcome) return answer;
    answer.broker_instance = given.header().broker_instance;
    answer.recheck = static_cast<std::uint32_t>(given.header().recheck);
    plan::fill_text(answer.profile, given.header().profile);
    answer.plan_fd = ::dup(given.fd());
    answer.counters_fd = here_->page_for_hello();
    return answer;
  }

  static Acknowledgement mark(const Settings&, const SecondSocket&, int, std::uint32_t mark) {
    Acknowledgement answer;
    answer.done = here_->on_mark(mark);
    answer.done = answer.done && here_->answers_marks;
    if (!answer.done && here_->answers_marks) plan::fill_text(answer.reason, "not yours");
    return answer;
  }

  [[nodiscard]] int hellos() const { return hellos_->load(); }
  // Of the page that was given last.
  [[nodiscard]] plan::Counters& counters() const {
    return *reinterpret_cast<plan::Counters*>(pages_.back().base());
  }
  // Has the program say hello before its next decision.
  void move() { counters().recheck = 1; }

  HelloOutcome outcome = HelloOutcome::kWelcome;
  bool answers_marks = true;
  std::function<bool(std::uint32_t)> on_mark = [](std::uint32_t) { return false; };
  TestPlan plan;
  TestPlan* other_plan = nullptr;  // given instead of `plan`
  std::string hello_profile;       // of the last hello
  std::uint32_t hello_flags = 0;

 private:
  // The same page until the program is moved.
  int page_for_hello() {
    const std::lock_guard lock(mutex_);
    if (counters().recheck != 0) pages_.emplace_back(plan::kCountersSize);
    return ::dup(pages_.back().fd());
  }

  static inline TestBroker* here_ = nullptr;
  std::mutex mutex_;
  SharedFile shared_;
  std::list<SharedFile> pages_;
  std::atomic<int>* hellos_;
};

inline Settings test_settings() {
  Settings settings;
  settings.named = true;
  settings.stderr_file = file_identity(STDERR_FILENO);
  plan::fill_text(settings.profile, "test");
  plan::fill_text(settings.socket_path, "/nowhere/px.sock");
  return settings;
}

}  // namespace px::shim
