// SPDX-License-Identifier: MIT
#include "preload/session/counters_page.h"

#include <gtest/gtest.h>

#include "tests/unit/preload/session/session_fixture.h"

namespace px::shim {
namespace {

class CountersPageTest : public SessionTest {};

TEST_F(CountersPageTest, CountsNothingBeforeTheFirstHello) {
  broker_.plan.publish_via(kVpn);
  shim_.start();
  shim_.counters.count(&plan::Counters::routed);
  EXPECT_EQ(broker_.counters().routed, 0u);
  ASSERT_TRUE(shim_.session.ensure_session());
  shim_.counters.count(&plan::Counters::routed);
  shim_.counters.count(&plan::Counters::routed);
  EXPECT_EQ(broker_.counters().routed, 2u);
}

TEST_F(CountersPageTest, AForkedChildDoesNotCountOnItsParentsPage) {
  broker_.plan.publish_via(kVpn);
  shim_.start();
  ASSERT_TRUE(shim_.session.ensure_session());
  in_child([this] {
    shim_.counters.count(&plan::Counters::routed);
    return 0;
  });
  EXPECT_EQ(broker_.counters().routed, 0u);
}

TEST_F(CountersPageTest, ALaterPageTakesThePlaceOfTheFirst) {
  const SharedFile first(plan::kCountersSize);
  const SharedFile later(plan::kCountersSize);
  const auto routed_on = [](const SharedFile& page) {
    return reinterpret_cast<const plan::Counters*>(page.base())->routed.load();
  };
  shim_.start();
  shim_.process.words().broker = 7;
  shim_.counters.adopt(first.fd(), 7);
  shim_.counters.count(&plan::Counters::routed);
  shim_.counters.adopt(later.fd(), 7);
  shim_.counters.count(&plan::Counters::routed);
  EXPECT_EQ(routed_on(first), 1u);
  EXPECT_EQ(routed_on(later), 1u);
}

TEST_F(CountersPageTest, ItsBrokerAsksForAHelloByIt) {
  const SharedFile page(plan::kCountersSize);
  const SharedFile later(plan::kCountersSize);
  const SharedFile unusable(8);
  EXPECT_EQ(shim_.counters.recheck(7), std::nullopt);
  shim_.counters.adopt(page.fd(), 7);
  EXPECT_EQ(shim_.counters.recheck(7), false);
  EXPECT_EQ(shim_.counters.recheck(8), std::nullopt) << "another broker's";
  reinterpret_cast<plan::Counters*>(page.base())->recheck = 1;
  EXPECT_EQ(shim_.counters.recheck(7), true);
  shim_.counters.adopt(later.fd(), 7);
  EXPECT_EQ(shim_.counters.recheck(7), false);
  reinterpret_cast<plan::Counters*>(later.base())->recheck = 1;
  shim_.counters.adopt(unusable.fd(), 7);
  EXPECT_EQ(shim_.counters.recheck(7), std::nullopt) << "it would ask for ever";
}

TEST_F(CountersPageTest, WhatIsTooShortIsNoPage) {
  const SharedFile page(8);
  shim_.start();
  shim_.process.words().broker = 7;
  shim_.counters.adopt(page.fd(), 7);
  shim_.counters.count(&plan::Counters::routed);
}

}  // namespace
}  // namespace px::shim
