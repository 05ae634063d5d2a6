// SPDX-License-Identifier: MIT
// What a process has of the broker, put together as in lib.cc, with a broker in the same process.
// One thread makes and starts it; as its parts after that.
#pragma once

#include "preload/session/broker_session.h"
#include "preload/session/counters_page.h"
#include "preload/session/current_plan.h"
#include "preload/session/decider.h"
#include "preload/session/member_health.h"
#include "preload/session/process_state.h"
#include "tests/unit/preload/shim_fixture.h"

namespace px::shim {

struct ShimSession {
  explicit ShimSession(const Settings& wanted = test_settings()) : settings(wanted) {}
  ShimSession(const ShimSession&) = delete;
  ShimSession& operator=(const ShimSession&) = delete;

  // As the library's constructor.
  void start() {
    process.start();
    plan.start(settings);
  }

  // gtest's capture, as if stderr had been that when the program was started.
  void capture_stderr() {
    testing::internal::CaptureStderr();
    settings.stderr_file = file_identity(STDERR_FILENO);
  }

  Settings settings;
  ProcessState process;
  CurrentPlan plan;
  CountersPage counters{process};
  BrokerSession session{settings, process, plan, counters, &TestBroker::answer};
  AnsweredNames answered;
  Decider decider{plan, session, answered};
  MemberHealth health{settings, plan};
};

// The same, started.
struct StartedSession : ShimSession {
  StartedSession() { start(); }
};

}  // namespace px::shim
