// SPDX-License-Identifier: MIT
#include "preload/session/current_plan.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "preload/session/bundle_settings.h"
#include "tests/unit/preload/session/session_fixture.h"

namespace px::shim {
namespace {

class CurrentPlanTest : public SessionTest {};

TEST_F(CurrentPlanTest, KnowsNoBundlesWithoutAPlan) {
  shim_.start();
  EXPECT_FALSE(shim_.plan.latest());
  EXPECT_FALSE(bundles_are_on(shim_.plan));
  EXPECT_EQ(value_of(shim_.plan.latest(), &plan::Plan::mark_mask), 0u);
}

TEST_F(CurrentPlanTest, ReadsBundlesWithoutAsking) {
  broker_.plan.publish_bundle(bundle_settings_of(plan::BundleTransport::kSctp, 50), "db.bundle",
                              "<a,b>");
  publish_file();
  shim_.start();
  EXPECT_EQ(bundle_settings(shim_.plan).transports[0], plan::BundleTransport::kSctp);
  EXPECT_EQ(bundle_settings(shim_.plan).stagger_ms, 50u);
  const auto plan = shim_.plan.in_force();
  ASSERT_TRUE(plan);
  const auto notation = plan->bundle_named("DB.bundle");
  ASSERT_TRUE(notation);
  EXPECT_EQ(notation->text(), "<a,b>");
  EXPECT_FALSE(plan->bundle_named("other.bundle"));
  EXPECT_EQ(broker_.hellos(), 0);
}

TEST_F(CurrentPlanTest, RefusesAFileThatIsNoPlan) {
  std::filesystem::create_directory(directory_ / plan::kPlanDirectory);
  const auto path = directory_ / plan::kPlanDirectory / "test.plan";
  std::ofstream(path) << "short";
  shim_.start();
  EXPECT_FALSE(shim_.plan.latest());
  EXPECT_FALSE(shim_.decider.is_passthrough());
  std::filesystem::resize_file(path, plan::kFileSize);
  ShimSession other(shim_.settings);
  other.start();
  EXPECT_FALSE(other.plan.latest());
  EXPECT_FALSE(other.decider.is_passthrough());
}

TEST_F(CurrentPlanTest, MapsNoFileOfAProgramWithoutAProfile) {
  broker_.plan.publish_block();
  publish_file();
  shim_.settings.named = false;
  shim_.start();
  EXPECT_FALSE(shim_.plan.latest());
}

TEST_F(CurrentPlanTest, TheVersionIsAnotherOneOncePublishedOrReplaced) {
  EXPECT_EQ(shim_.plan.version(), 0u);
  broker_.plan.publish_block();
  publish_file();
  shim_.start();
  const std::uint64_t first = shim_.plan.version();
  EXPECT_NE(first, 0u);
  TestPlan other(7, "other");
  other.publish_block();
  ASSERT_TRUE(shim_.plan.adopt({7, "other", other.fd()}, shim_.plan.mapping()));
  const std::uint64_t second = shim_.plan.version();
  EXPECT_NE(second, first);
  other.publish_block();
  EXPECT_NE(shim_.plan.version(), second);
  EXPECT_NE(shim_.plan.version(), 0u);
}

TEST_F(CurrentPlanTest, OfARetiredProgramNoneIsInForceButTheLatestIsKnown) {
  broker_.plan.mark_mask = 0xff000000;
  broker_.plan.publish_bundles(bundle_settings_of(plan::BundleTransport::kSctp));
  publish_file();
  shim_.start();
  EXPECT_TRUE(bundles_are_on(shim_.plan));
  shim_.plan.retire();
  EXPECT_FALSE(shim_.plan.in_force());
  EXPECT_EQ(shim_.plan.version(), 0u);
  EXPECT_FALSE(bundles_are_on(shim_.plan));
  EXPECT_EQ(value_of(shim_.plan.latest(), &plan::Plan::mark_mask), 0xff000000u);
}

TEST_F(CurrentPlanTest, AnAnswerThatComesTooLateChangesNothing) {
  broker_.plan.publish_block();
  TestPlan second(7, "second");
  TestPlan late(7, "late");
  ASSERT_TRUE(shim_.plan.adopt({7, "test", broker_.plan.fd()}, nullptr));
  const void* before = shim_.plan.mapping();
  ASSERT_TRUE(shim_.plan.adopt({7, "second", second.fd()}, before));
  EXPECT_FALSE(shim_.plan.adopt({7, "late", late.fd()}, before));
  EXPECT_EQ(shim_.plan.latest()->profile(), "second");
}

TEST_F(CurrentPlanTest, APlanIsMappedOnce) {
  broker_.plan.publish_block();
  TestPlan other(7, "other");
  ASSERT_TRUE(shim_.plan.adopt({7, "test", broker_.plan.fd()}, nullptr));
  const void* first = shim_.plan.mapping();
  ASSERT_TRUE(shim_.plan.adopt({7, "other", other.fd()}, first));
  // The descriptor is not even looked at.
  ASSERT_TRUE(shim_.plan.adopt({7, "test", -1}, shim_.plan.mapping()));
  EXPECT_EQ(shim_.plan.mapping(), first);
}

}  // namespace
}  // namespace px::shim
