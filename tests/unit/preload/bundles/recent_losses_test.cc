// SPDX-License-Identifier: MIT
#include "preload/bundles/recent_losses.h"

#include <gtest/gtest.h>

namespace px::shim {
namespace {

TEST(RecentLossesTest, EachHalvesTheTimeOfTheNext) {
  RecentLosses losses;
  EXPECT_EQ(losses.shortened(100, 1'000), 100u);
  losses.add(1'000);
  EXPECT_EQ(losses.shortened(100, 1'001), 50u);
  losses.add(1'001);
  EXPECT_EQ(losses.shortened(100, 1'002), 25u);
  for (int i = 0; i < 100; ++i) losses.add(1'002);
  EXPECT_EQ(losses.shortened(100, 1'003), 10u);
  EXPECT_EQ(losses.shortened(5'000, 1'003), 5'000u >> 8);
}

TEST(RecentLossesTest, NothingIsMadeLonger) {
  RecentLosses losses;
  losses.add(1'000);
  EXPECT_EQ(losses.shortened(5, 1'001), 5u);
}

TEST(RecentLossesTest, TheyAreForgottenAfterAWhile) {
  RecentLosses losses;
  losses.add(1'000);
  losses.add(1'000);
  EXPECT_EQ(losses.shortened(100, 1'000 + RecentLosses::kRecentMs - 1), 25u);
  EXPECT_EQ(losses.shortened(100, 1'000 + RecentLosses::kRecentMs), 100u);
  losses.add(1'000 + RecentLosses::kRecentMs);
  EXPECT_EQ(losses.shortened(100, 1'001 + RecentLosses::kRecentMs), 50u);
}

}  // namespace
}  // namespace px::shim
