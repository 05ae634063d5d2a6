// SPDX-License-Identifier: MIT
#include "preload/session/decider.h"

#include <gtest/gtest.h>

#include "tests/unit/preload/session/session_fixture.h"

namespace px::shim {
namespace {

class DeciderTest : public SessionTest {};

TEST_F(DeciderTest, MapsThePublishedPlanAndAsksNobodyForASystemVerdict) {
  broker_.plan.publish_system();
  publish_file();
  shim_.start();
  EXPECT_FALSE(shim_.decider.is_passthrough());
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kSystem);
  EXPECT_EQ(broker_.hellos(), 0);
}

TEST_F(DeciderTest, KnowsAPlanWithoutRules) {
  broker_.plan.publish_without_rules();
  EXPECT_FALSE(shim_.decider.is_passthrough()) << "there is no plan yet";
  publish_file();
  shim_.start();
  EXPECT_TRUE(shim_.decider.is_passthrough());
}

TEST_F(DeciderTest, FollowsANewPlanWithoutAsking) {
  broker_.plan.publish_via(kVpn);
  shim_.start();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kVia);
  broker_.plan.publish_block();
  EXPECT_EQ(shim_.decider.decide(kCall).action, Action::kRefuse);
  broker_.plan.publish_without_rules();
  EXPECT_TRUE(shim_.decider.is_passthrough());
  EXPECT_EQ(broker_.hellos(), 1);
}

TEST_F(DeciderTest, PassesTheTimeToAPlanThatNeedsIt) {
  broker_.plan.publish_via(kVpn, plan::OnLoss::kBlock);
  broker_.plan.header().heartbeat = 1;
  shim_.start();
  const auto verdict = shim_.decider.decide(kCall);
  EXPECT_EQ(verdict.action, Action::kFail);
  EXPECT_EQ(verdict.reason, Reason::kBrokerLost);
}

}  // namespace
}  // namespace px::shim
