// SPDX-License-Identifier: MIT
#include "preload/session/plan_holder.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "tests/unit/preload/session/plan_holder_fixture.h"

namespace px::shim {
namespace {

TEST_F(PlanHolderTest, MapsThePublishedPlanAndAsksNobodyForASystemVerdict) {
  broker_.plan.publish_system();
  publish_file();
  holder_.start(settings_);
  EXPECT_FALSE(holder_.says_nothing());
  EXPECT_EQ(holder_.decide(kCall).action, Action::kSystem);
  EXPECT_EQ(broker_.hellos(), 0);
}

TEST_F(PlanHolderTest, KnowsAPlanWithoutRules) {
  broker_.plan.publish_without_rules();
  EXPECT_FALSE(holder_.says_nothing()) << "there is no plan yet";
  publish_file();
  holder_.start(settings_);
  EXPECT_TRUE(holder_.says_nothing());
}

TEST_F(PlanHolderTest, KnowsNoBundlesWithoutAPlan) {
  holder_.start(settings_);
  EXPECT_EQ(holder_.bundle_settings().transports[0], plan::BundleTransport::kNone);
  EXPECT_FALSE(holder_.bundle_named("db.bundle"));
  const bundle::Endpoint member{address("198.51.100.1"), 443, 0};
  EXPECT_EQ(holder_.health(member, 3), bundle::Health::kUnknown);
  holder_.report(member, 3, true);
}

TEST_F(PlanHolderTest, AsksBeforeSocketsOnlyWhereTheyMayBeChosen) {
  settings_.named = false;
  holder_.start(settings_);
  holder_.introduce_sockets();
  EXPECT_EQ(broker_.hellos(), 0);
  std::filesystem::create_directory(directory_ / plan::kPlanDirectory);
  std::ofstream(directory_ / plan::kPlanDirectory / plan::kAllSocketsFile);
  holder_.introduce_sockets();
  EXPECT_EQ(broker_.hellos(), 0) << "it was looked for already";
  PlanHolder other{&TestBroker::answer};
  other.start(settings_);
  errno = 4711;
  for (int i = 0; i < 2; ++i) other.introduce_sockets();
  EXPECT_EQ(errno, 4711);
  EXPECT_EQ(broker_.hellos(), 1);
}

TEST_F(PlanHolderTest, ReadsBundlesAndHealthWithoutAsking) {
  broker_.plan.publish_bundle({{plan::BundleTransport::kSctp}, {}, 0, {}, 50}, "db.bundle",
                              "<a,b>");
  publish_file();
  holder_.start(settings_);
  EXPECT_EQ(holder_.bundle_settings().transports[0], plan::BundleTransport::kSctp);
  EXPECT_EQ(holder_.bundle_settings().stagger_ms, 50u);
  const auto notation = holder_.bundle_named("DB.bundle");
  ASSERT_TRUE(notation);
  EXPECT_EQ(notation->text(), "<a,b>");
  EXPECT_FALSE(holder_.bundle_named("other.bundle"));
  errno = 4711;
  EXPECT_EQ(holder_.health({address("198.51.100.1"), 443, 0}, 3), bundle::Health::kUnknown);
  EXPECT_EQ(errno, 4711);
  EXPECT_EQ(broker_.hellos(), 0);
}

TEST_F(PlanHolderTest, RefusesAFileThatIsNoPlan) {
  std::filesystem::create_directory(directory_ / plan::kPlanDirectory);
  const auto path = directory_ / plan::kPlanDirectory / "test.plan";
  std::ofstream(path) << "short";
  holder_.start(settings_);
  EXPECT_FALSE(holder_.says_nothing());
  std::filesystem::resize_file(path, plan::kFileSize);
  PlanHolder other(&TestBroker::answer);
  other.start(settings_);
  EXPECT_FALSE(other.says_nothing());
}

TEST_F(PlanHolderTest, SaysHelloOnceAndLeavesNothingOpen) {
  broker_.plan.publish_via(kVpn);
  holder_.start(settings_);
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto before = descriptors();
  errno = 4711;
  for (int i = 0; i < 3; ++i) {
    const auto verdict = holder_.decide(kCall);
    EXPECT_EQ(verdict.action, Action::kVia);
    EXPECT_EQ(verdict.entry.interface_index, 3u);
  }
  EXPECT_EQ(errno, 4711);
  EXPECT_EQ(broker_.hellos(), 1);
  EXPECT_EQ(descriptors(), before);
  holder_.count(&plan::Counters::routed);
  EXPECT_EQ(broker_.counters().routed, 1u);
}

TEST_F(PlanHolderTest, FollowsANewPlanWithoutAsking) {
  broker_.plan.publish_via(kVpn);
  holder_.start(settings_);
  EXPECT_EQ(holder_.decide(kCall).action, Action::kVia);
  broker_.plan.publish_block();
  EXPECT_EQ(holder_.decide(kCall).action, Action::kRefuse);
  broker_.plan.publish_without_rules();
  EXPECT_TRUE(holder_.says_nothing());
  EXPECT_EQ(broker_.hellos(), 1);
}

TEST_F(PlanHolderTest, FailsClosedAndSaysWhyOnce) {
  broker_.plan.publish_via(kVpn);
  publish_file();
  broker_.outcome = HelloOutcome::kNoAnswer;
  holder_.start(settings_);
  testing::internal::CaptureStderr();
  errno = 4711;
  const auto verdict = holder_.decide(kCall);
  EXPECT_EQ(errno, 4711);
  EXPECT_EQ(verdict.action, Action::kFail);
  EXPECT_EQ(verdict.reason, Reason::kNoPlan);
  EXPECT_EQ(holder_.decide(kCall).action, Action::kFail);
  EXPECT_EQ(broker_.hellos(), 1) << "not asked again within a second";
  EXPECT_EQ(in_child([this] { return static_cast<int>(holder_.decide(kCall).action); }),
            static_cast<int>(Action::kFail));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "px: test: no answer from the broker at " +
                                                        (directory_ / "px.sock").native() +
                                                        "; is pxd running? (px-exec starts one)\n");
}

TEST_F(PlanHolderTest, AsksAgainAfterASecond) {
  broker_.plan.publish_via(kVpn);
  broker_.outcome = HelloOutcome::kRefusal;
  holder_.start(settings_);
  testing::internal::CaptureStderr();
  EXPECT_EQ(holder_.decide(kCall).action, Action::kFail);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "px: test: no such?profile\n");
  broker_.outcome = HelloOutcome::kWelcome;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (holder_.decide(kCall).action != Action::kVia) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::yield();
  }
  EXPECT_EQ(broker_.hellos(), 2);
}

TEST_F(PlanHolderTest, IsSilentWhereStderrWasClosed) {
  settings_.stderr_open = false;
  broker_.outcome = HelloOutcome::kNoAnswer;
  holder_.start(settings_);
  testing::internal::CaptureStderr();
  EXPECT_EQ(holder_.decide(kCall).action, Action::kFail);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(PlanHolderTest, AsksNobodyWithSettingsThatCannotBeMeant) {
  settings_.problem = "PX_PROFILE is not the name of a profile";
  settings_.profile = {};
  holder_.start(settings_);
  testing::internal::CaptureStderr();
  EXPECT_EQ(holder_.decide(kCall).action, Action::kFail);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "px: PX_PROFILE is not the name of a profile\n");
  EXPECT_EQ(broker_.hellos(), 0);
}

TEST_F(PlanHolderTest, DoesNotTakeAnAnswerWithoutAPlan) {
  broker_.plan.header().magic = 0;
  holder_.start(settings_);
  testing::internal::CaptureStderr();
  EXPECT_EQ(holder_.decide(kCall).action, Action::kFail);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("another version"), std::string::npos);
}

TEST_F(PlanHolderTest, GreetsARestartedBroker) {
  broker_.plan.publish_via(kVpn);
  holder_.start(settings_);
  EXPECT_EQ(holder_.decide(kCall).action, Action::kVia);
  broker_.plan.header().broker_instance = 8;
  EXPECT_EQ(holder_.decide(kCall).action, Action::kVia);
  EXPECT_EQ(holder_.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hellos(), 2);
}

TEST_F(PlanHolderTest, GoesOnWithTheLastPlanWhereARestartedBrokerDoesNotAnswer) {
  broker_.plan.publish_via(kVpn);
  holder_.start(settings_);
  EXPECT_EQ(holder_.decide(kCall).action, Action::kVia);
  broker_.outcome = HelloOutcome::kNoAnswer;
  broker_.plan.header().broker_instance = 8;
  testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(holder_.decide(kCall).action, Action::kVia);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(broker_.hellos(), 2) << "asked once for this instance";
}

TEST_F(PlanHolderTest, TakesTheBrokersPlanInsteadOfAnotherBrokersFile) {
  broker_.plan.publish_block();
  publish_file();
  holder_.start(settings_);
  broker_.plan.header().broker_instance = 8;
  broker_.plan.publish_via(kVpn);
  EXPECT_EQ(holder_.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hellos(), 1);
}

TEST_F(PlanHolderTest, PassesTheTimeToAPlanThatNeedsIt) {
  broker_.plan.publish_via(kVpn, plan::OnLoss::kBlock);
  broker_.plan.header().heartbeat = 1;
  holder_.start(settings_);
  const auto verdict = holder_.decide(kCall);
  EXPECT_EQ(verdict.action, Action::kFail);
  EXPECT_EQ(verdict.reason, Reason::kBrokerLost);
}

TEST_F(PlanHolderTest, AForkedChildSaysHelloItself) {
  broker_.plan.publish_via(kVpn);
  holder_.start(settings_);
  EXPECT_EQ(holder_.decide(kCall).action, Action::kVia);
  const int action = in_child([this] {
    (void)holder_.decide(kCall);
    holder_.count(&plan::Counters::routed);
    return static_cast<int>(holder_.decide(kCall).action);
  });
  EXPECT_EQ(action, static_cast<int>(Action::kVia));
  EXPECT_EQ(broker_.hellos(), 2);
  EXPECT_EQ(broker_.counters().routed, 1u);
  EXPECT_EQ(holder_.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hellos(), 2) << "the parent's standing is its own";
}

TEST_F(PlanHolderTest, AForkedChildGoesOnWithTheLastPlan) {
  broker_.plan.publish_via(kVpn);
  holder_.start(settings_);
  EXPECT_EQ(holder_.decide(kCall).action, Action::kVia);
  broker_.outcome = HelloOutcome::kNoAnswer;
  testing::internal::CaptureStderr();
  const int action = in_child([this] { return static_cast<int>(holder_.decide(kCall).action); });
  EXPECT_EQ(action, static_cast<int>(Action::kVia));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(PlanHolderTest, AVforkChildsHelloIsNotItsParents) {
  broker_.plan.publish_via(kVpn);
  holder_.start(settings_);
  std::vector<char> stack(256 * 1024);
  const auto run = [](void* holder) {
    return static_cast<int>(static_cast<PlanHolder*>(holder)->decide(kCall).action);
  };
  const pid_t child =
      ::clone(run, stack.data() + stack.size(), CLONE_VM | CLONE_VFORK | SIGCHLD, &holder_);
  ASSERT_GT(child, 0);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(Action::kVia));
  EXPECT_EQ(broker_.hellos(), 1);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(holder_.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hellos(), 2);
}

TEST_F(PlanHolderTest, ThreadsMayMeetTheBrokerAtOnce) {
  broker_.plan.publish_via(kVpn);
  holder_.start(settings_);
  std::atomic<int> routed{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      routed += holder_.decide(kCall).action == Action::kVia;
      holder_.count(&plan::Counters::routed);
    });
  }
  threads.clear();
  EXPECT_EQ(routed, 16);
  EXPECT_EQ(broker_.counters().routed, 16u);
}

}  // namespace
}  // namespace px::shim
