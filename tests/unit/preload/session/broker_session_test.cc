// SPDX-License-Identifier: MIT
#include "preload/session/broker_session.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "tests/unit/preload/session/session_fixture.h"

namespace px::shim {
namespace {

class BrokerSessionTest : public SessionTest {};

TEST_F(BrokerSessionTest, AsksBeforeSocketsOnlyWhereTheyMayBeChosen) {
  shim_.settings.named = false;
  shim_.start();
  shim_.session.ensure_session_for_sockets();
  EXPECT_EQ(broker_.hellos(), 0);
  std::filesystem::create_directory(directory_ / plan::kPlanDirectory);
  std::ofstream(directory_ / plan::kPlanDirectory / plan::kAllSocketsFile);
  shim_.session.ensure_session_for_sockets();
  EXPECT_EQ(broker_.hellos(), 0) << "it was looked for already";
  ShimSession other(shim_.settings);
  other.start();
  errno = 4711;
  for (int i = 0; i < 2; ++i) other.session.ensure_session_for_sockets();
  EXPECT_EQ(errno, 4711);
  EXPECT_EQ(broker_.hellos(), 1);
}

TEST_F(BrokerSessionTest, SaysHelloOnceAndLeavesNothingOpen) {
  broker_.plan.publish_via(kVpn);
  shim_.start();
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto before = descriptors();
  errno = 4711;
  for (int i = 0; i < 3; ++i) {
    const auto verdict = shim_.decider.decide(kCall);
    EXPECT_EQ(verdict.action, Action::kVia);
    EXPECT_EQ(verdict.entry.interface_index, 3u);
  }
  EXPECT_EQ(errno, 4711);
  EXPECT_EQ(broker_.hellos(), 1);
  EXPECT_EQ(descriptors(), before);
  shim_.counters.count(&plan::Counters::routed);
  EXPECT_EQ(broker_.counters().routed, 1u);
}

TEST_F(BrokerSessionTest, FailsClosedAndSaysWhyOnce) {
  broker_.plan.publish_via(kVpn);
  publish_file();
  broker_.outcome = HelloOutcome::kNoAnswer;
  shim_.start();
  shim_.capture_stderr();
  errno = 4711;
  const auto verdict = shim_.decider.decide(kCall);
  EXPECT_EQ(errno, 4711);
  EXPECT_EQ(verdict.action, Action::kFail);
  EXPECT_EQ(verdict.reason, Reason::kNoPlan);
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kFail);
  EXPECT_EQ(broker_.hellos(), 1) << "not asked again within a second";
  EXPECT_EQ(in_child([this] { return static_cast<int>(shim_.decider.decide(kCall).action); }),
            static_cast<int>(Action::kFail));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "px: test: the broker at " +
                                                        (directory_ / "px.sock").native() +
                                                        " does not answer in time\n");
}

TEST_F(BrokerSessionTest, AsksAgainAfterASecond) {
  broker_.plan.publish_via(kVpn);
  broker_.outcome = HelloOutcome::kRefusal;
  shim_.start();
  shim_.capture_stderr();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kFail);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "px: test: no such?profile\n");
  broker_.outcome = HelloOutcome::kWelcome;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (shim_.decider.decide(kCall).action != Action::kVia) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::yield();
  }
  EXPECT_EQ(broker_.hellos(), 2);
}

TEST_F(BrokerSessionTest, IsSilentWhereStderrWasClosed) {
  broker_.outcome = HelloOutcome::kNoAnswer;
  shim_.start();
  shim_.capture_stderr();
  shim_.settings.stderr_file = std::nullopt;
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kFail);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(BrokerSessionTest, AsksNobodyWithSettingsThatCannotBeMeant) {
  shim_.settings.problem = "PX_PROFILE is not the name of a profile";
  shim_.settings.profile = {};
  shim_.start();
  shim_.capture_stderr();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kFail);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "px: PX_PROFILE is not the name of a profile\n");
  EXPECT_EQ(broker_.hellos(), 0);
}

TEST_F(BrokerSessionTest, DoesNotTakeAnAnswerWithoutAPlan) {
  broker_.plan.header().magic = 0;
  shim_.start();
  shim_.capture_stderr();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kFail);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("another version"), std::string::npos);
}

TEST_F(BrokerSessionTest, RejoinsARestartedBroker) {
  broker_.plan.publish_via(kVpn);
  shim_.start();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  broker_.plan.header().broker_instance = 8;
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hellos(), 2);
}

TEST_F(BrokerSessionTest, GoesOnWithTheLastPlanWhereARestartedBrokerDoesNotAnswer) {
  broker_.plan.publish_via(kVpn);
  shim_.start();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  broker_.outcome = HelloOutcome::kNoAnswer;
  broker_.plan.header().broker_instance = 8;
  shim_.capture_stderr();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(broker_.hellos(), 2) << "asked once for this instance";
}

TEST_F(BrokerSessionTest, TakesTheBrokersPlanInsteadOfAnotherBrokersFile) {
  broker_.plan.publish_block();
  publish_file();
  shim_.start();
  broker_.plan.header().broker_instance = 8;
  broker_.plan.publish_via(kVpn);
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hellos(), 1);
}

TEST_F(BrokerSessionTest, AForkedChildSaysHelloItself) {
  broker_.plan.publish_via(kVpn);
  shim_.start();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  const int action = in_child([this] {
    (void)shim_.decider.decide(kCall);
    shim_.counters.count(&plan::Counters::routed);
    return static_cast<int>(shim_.decider.decide(kCall).action);
  });
  EXPECT_EQ(action, static_cast<int>(Action::kVia));
  EXPECT_EQ(broker_.hellos(), 2);
  EXPECT_EQ(broker_.counters().routed, 1u);
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hellos(), 2) << "the parent's session is its own";
}

TEST_F(BrokerSessionTest, AForkedChildGoesOnWithTheLastPlan) {
  broker_.plan.publish_via(kVpn);
  shim_.start();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  broker_.outcome = HelloOutcome::kNoAnswer;
  shim_.capture_stderr();
  const int action =
      in_child([this] { return static_cast<int>(shim_.decider.decide(kCall).action); });
  EXPECT_EQ(action, static_cast<int>(Action::kVia));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(BrokerSessionTest, AVforkChildsHelloIsNotItsParents) {
  broker_.plan.publish_via(kVpn);
  shim_.start();
  std::vector<char> stack(256 * 1024);
  const auto run = [](void* shim) {
    return static_cast<int>(static_cast<ShimSession*>(shim)->decider.decide(kCall).action);
  };
  const pid_t child =
      ::clone(run, stack.data() + stack.size(), CLONE_VM | CLONE_VFORK | SIGCHLD, &shim_);
  ASSERT_GT(child, 0);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(Action::kVia));
  EXPECT_EQ(broker_.hellos(), 1);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hellos(), 2);
}

TEST_F(BrokerSessionTest, WithoutAPlaceItGoesOnByTheMappedPlan) {
  broker_.plan.publish_via(kVpn);
  publish_file();
  broker_.outcome = HelloOutcome::kNoPlace;
  shim_.start();
  shim_.capture_stderr();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(BrokerSessionTest, OutOfReachItGoesOnByTheMappedPlan) {
  broker_.plan.publish_via(kVpn);
  publish_file();
  broker_.outcome = HelloOutcome::kUnreachable;
  shim_.start();
  shim_.capture_stderr();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hellos(), 1) << "not asked again within a second";
  EXPECT_EQ(in_child([this] { return static_cast<int>(shim_.decider.decide(kCall).action); }),
            static_cast<int>(Action::kVia));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(BrokerSessionTest, OutOfReachOfADeadBrokerItFailsClosed) {
  broker_.plan.publish_via(kVpn);
  broker_.plan.header().heartbeat = 0;
  publish_file();
  broker_.outcome = HelloOutcome::kUnreachable;
  shim_.start();
  shim_.capture_stderr();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kFail);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("cannot reach the broker"),
            std::string::npos);
}

TEST_F(BrokerSessionTest, OutOfReachAndWithoutAPlanItFailsClosed) {
  broker_.plan.publish_via(kVpn);
  broker_.outcome = HelloOutcome::kUnreachable;
  shim_.start();
  shim_.capture_stderr();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kFail);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("cannot reach the broker"),
            std::string::npos);
}

TEST_F(BrokerSessionTest, WithItsCallsFilteredItAsksNobody) {
  broker_.plan.publish_via(kVpn);
  shim_.start();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  set_filtered(&shim_.settings);
  broker_.move();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(in_child([this] { return static_cast<int>(shim_.decider.decide(kCall).action); }),
            static_cast<int>(Action::kVia));
  EXPECT_EQ(broker_.hellos(), 1);
}

TEST_F(BrokerSessionTest, WithItsCallsFilteredBeforeItIsSilent) {
  broker_.plan.publish_via(kVpn);
  shim_.start();
  set_filtered(&shim_.settings);
  shim_.capture_stderr();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kFail);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(broker_.hellos(), 0);
}

TEST_F(BrokerSessionTest, OnceGreetedItAsksNoBrokerThatHasStopped) {
  broker_.plan.publish_via(kVpn);
  shim_.start();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  broker_.plan.header().heartbeat = 0;
  broker_.move();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(in_child([this] { return static_cast<int>(shim_.decider.decide(kCall).action); }),
            static_cast<int>(Action::kVia));
  EXPECT_EQ(broker_.hellos(), 1);
  broker_.plan.header().heartbeat = ~std::uint64_t{0};
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hellos(), 2) << "it works again, and is asked what was owed";
}

TEST_F(BrokerSessionTest, ThreadsMayJoinAtOnce) {
  broker_.plan.publish_via(kVpn);
  shim_.start();
  std::atomic<int> routed{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      routed += shim_.decider.decide(kCall).action == Action::kVia;
      shim_.counters.count(&plan::Counters::routed);
    });
  }
  threads.clear();
  EXPECT_EQ(routed, 16);
  EXPECT_EQ(broker_.hellos(), 1) << "one asks, the others wait for it";
  EXPECT_EQ(broker_.counters().routed, 16u);
}

}  // namespace
}  // namespace px::shim
