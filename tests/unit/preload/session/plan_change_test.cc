// SPDX-License-Identifier: MIT
// Programs whose profile is not, or is no longer, the one of their environment.
#include <gtest/gtest.h>

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
  std::uint64_t number = 0;
  for (int i = 0; i < 50; ++i) {
    broker_.other_plan = &other;
    broker_.plan.header().recheck = ++number;
    EXPECT_FALSE(shim_.decider.is_passthrough());
    EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
    EXPECT_EQ(broker_.hellos(), 1 + static_cast<int>(number));
    broker_.other_plan = nullptr;
    other.header().recheck = ++number;
    EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kSystem);
    EXPECT_TRUE(shim_.decider.is_passthrough());
    EXPECT_EQ(broker_.hello_flags, plan::kHelloGoesOn);
    EXPECT_EQ(broker_.hello_profile, "other");
  }
}

TEST_F(PlanChange, GoesOnWhereNobodyAnswersAfterAMove) {
  broker_.plan.publish_via(kVpn);
  shim_.start();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  broker_.outcome = HelloOutcome::kNoAnswer;
  broker_.plan.header().recheck = 1;
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
  broker_.plan.header().recheck = 1;
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
