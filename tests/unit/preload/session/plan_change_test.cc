// SPDX-License-Identifier: MIT
// Programs whose profile is not, or is no longer, the one of their environment.
#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <thread>
#include <vector>

#include "tests/unit/preload/session/session_fixture.h"

namespace px::shim {
namespace {

class PlanChange : public SessionTest {};

TEST_F(PlanChange, SaysHelloFirstWhereProgramsAreMatched) {
  broker_.plan.publish_without_rules(true);
  publish_file();
  TestPlan other(7, "other");
  other.publish_via(kVpn);
  broker_.other_plan = &other;
  shim_.start();
  EXPECT_FALSE(shim_.decider.is_passthrough());
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hello_profile, "test");
  EXPECT_EQ(broker_.hello_flags, 0u);
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hellos(), 1);
}

TEST_F(PlanChange, NeedsNobodyForASystemVerdictAlsoWhereProgramsAreMatched) {
  broker_.plan.publish_system(true);
  publish_file();
  broker_.outcome = HelloOutcome::kNoAnswer;
  shim_.start();
  shim_.capture_stderr();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kSystem);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(broker_.hellos(), 1);
}

TEST_F(PlanChange, AsksForWhicheverMatches) {
  shim_.settings.named = false;
  shim_.settings.profile = {};
  broker_.plan.publish_via(kVpn);
  shim_.start();
  EXPECT_FALSE(shim_.decider.is_passthrough());
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hello_profile, "");
  const int action = in_child([this] {
    const auto verdict = shim_.decider.decide(kCall);
    return broker_.hello_flags == plan::kHelloGoesOn && broker_.hello_profile == "test"
               ? static_cast<int>(verdict.action)
               : 100;
  });
  EXPECT_EQ(action, static_cast<int>(Action::kVia));
  EXPECT_EQ(broker_.hellos(), 2);
}

TEST_F(PlanChange, IsSilentForGoodWhereNothingMatchesOrNobodyAnswers) {
  Settings unnamed = test_settings();
  unnamed.named = false;
  unnamed.profile = {};
  for (const auto outcome : {HelloOutcome::kNoProfile, HelloOutcome::kNoAnswer}) {
    broker_.plan.publish_block();
    broker_.outcome = outcome;
    ShimSession shim(unnamed);
    shim.start();
    const int before = broker_.hellos();
    shim_.capture_stderr();
    EXPECT_EQ(shim.decider.decide(kCall).action, Action::kSystem);
    EXPECT_TRUE(shim.decider.is_passthrough());
    EXPECT_EQ(shim.decider.decide(kCall).action, Action::kSystem);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(broker_.hellos(), before + 1);
  }
}

TEST_F(PlanChange, TheBrokersWordThatThereIsNoProfileWinsOverTheEnvironments) {
  broker_.plan.publish_block();
  publish_file();
  broker_.outcome = HelloOutcome::kNoProfile;
  shim_.start();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kSystem);
  EXPECT_TRUE(shim_.decider.is_passthrough());
  EXPECT_EQ(broker_.hellos(), 1);
}

TEST_F(PlanChange, FollowsAMoveThereAndBack) {
  broker_.plan.publish_without_rules();
  TestPlan other(7, "other");
  other.publish_via(kVpn);
  shim_.start();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kSystem);
  EXPECT_TRUE(shim_.decider.is_passthrough());
  int moves = 0;
  for (int i = 0; i < 50; ++i) {
    broker_.other_plan = &other;
    broker_.move();
    EXPECT_FALSE(shim_.decider.is_passthrough());
    EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
    EXPECT_EQ(broker_.hellos(), 1 + ++moves);
    broker_.other_plan = nullptr;
    broker_.move();
    ++moves;
    EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kSystem);
    EXPECT_TRUE(shim_.decider.is_passthrough());
    EXPECT_EQ(broker_.hello_flags, plan::kHelloGoesOn);
    EXPECT_EQ(broker_.hello_profile, "other");
  }
}

// Before a decision that began by the former plan ends, another thread may have asked.
TEST_F(PlanChange, TheFormerPlanIsNotFreshAfterAMove) {
  broker_.plan.publish_without_rules();
  TestPlan other(7, "other");
  other.publish_via(kVpn);
  shim_.start();
  ASSERT_EQ(shim_.decider.decide(kCall).action, Action::kSystem);
  const auto former = shim_.plan.latest();
  ASSERT_TRUE(former && shim_.session.knows(*former));
  broker_.other_plan = &other;
  broker_.move();
  EXPECT_FALSE(shim_.session.knows(*former));
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_FALSE(shim_.session.knows(*former));
  EXPECT_TRUE(shim_.session.has_joined(*shim_.plan.latest()));
}

TEST_F(PlanChange, TheMoveOfAnotherProgramConcernsNoneThatHasAPage) {
  for (const bool rules : {false, true}) {
    TestPlan plan(7);
    rules ? plan.publish_via(kVpn) : plan.publish_without_rules();
    broker_.other_plan = &plan;
    ShimSession shim(test_settings());
    shim.start();
    const Action action = shim.decider.decide(kCall).action;
    const int before = broker_.hellos();
    plan.header().recheck = 1;
    EXPECT_EQ(shim.decider.is_passthrough(), !rules);
    EXPECT_EQ(shim.decider.decide(kCall).action, action);
    EXPECT_EQ(broker_.hellos(), before);
  }
}

TEST_F(PlanChange, AProgramWithoutAPageFollowsThePlansWord) {
  broker_.plan.publish_without_rules();
  publish_file();
  TestPlan other(7, "other");
  other.publish_via(kVpn);
  broker_.other_plan = &other;
  shim_.start();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kSystem);
  EXPECT_EQ(broker_.hellos(), 0);
  std::fstream file(directory_ / plan::kPlanDirectory / "test.plan",
                    std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offsetof(plan::FileHeader, recheck)).put(1).flush();
  ASSERT_TRUE(file);
  EXPECT_FALSE(shim_.decider.is_passthrough());
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hellos(), 1);
}

TEST_F(PlanChange, AForkedChildFollowsAMoveThatItsParentHasNotSeen) {
  broker_.plan.publish_without_rules();
  TestPlan other(7, "other");
  other.publish_via(kVpn);
  shim_.start();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kSystem);
  broker_.other_plan = &other;
  broker_.move();
  EXPECT_EQ(in_child([this] { return static_cast<int>(shim_.decider.decide(kCall).action); }),
            static_cast<int>(Action::kVia));
}

// Nobody raises its page any more.
TEST_F(PlanChange, AProgramWithAFormerBrokersPageFollowsThePlansWord) {
  broker_.plan.publish_without_rules();
  TestPlan other(8, "other");
  other.publish_via(kVpn);
  shim_.start();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kSystem);
  broker_.plan.header().broker_instance = 8;
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kSystem);
  EXPECT_EQ(broker_.hellos(), 1);
  broker_.other_plan = &other;
  broker_.plan.header().recheck = 1;
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hellos(), 2);
}

TEST_F(PlanChange, GoesOnWhereNobodyAnswersAfterAMove) {
  broker_.plan.publish_via(kVpn);
  shim_.start();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  broker_.outcome = HelloOutcome::kNoAnswer;
  broker_.move();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  EXPECT_EQ(broker_.hellos(), 2) << "not asked again within a second";
}

TEST_F(PlanChange, EveryThreadFollowsAMove) {
  broker_.plan.publish_block();
  TestPlan other(7, "other");
  other.publish_via(kVpn);
  shim_.start();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kRefuse);
  broker_.other_plan = &other;
  broker_.move();
  std::atomic<int> routed{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] { routed += shim_.decider.decide(kCall).action == Action::kVia; });
  }
  threads.clear();
  EXPECT_EQ(routed, 16);
}

}  // namespace
}  // namespace px::shim
