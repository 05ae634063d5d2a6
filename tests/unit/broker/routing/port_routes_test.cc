// SPDX-License-Identifier: MIT
#include "broker/routing/port_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/broker/host/host_fixture.h"

namespace px::broker {
namespace {

using test::addr;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr uid_t kAnn = 1000;
constexpr uid_t kBob = 1001;

PortRoute to(std::uint16_t port, const char* destination, const char* interface = "eth0") {
  return {port, addr(destination), Egress{interface, addr("192.0.2.10"), std::nullopt}};
}

PortRoute to_others(std::uint16_t port) {
  return {port, std::nullopt, std::nullopt, true};
}

TEST(PortRoutes, WhatIsAddedLaterTakesThePlaceOfTheSameDestination) {
  PortRoutes ways;
  EXPECT_TRUE(ways.empty());
  ASSERT_TRUE(ways.add(kAnn, {to_others(5), to(5, "10.0.0.1")}));
  ASSERT_TRUE(ways.add(kAnn, {to_others(5), to(5, "10.0.0.1", "eth1"), to(5, "10.0.0.2")}));
  EXPECT_THAT(ways.all(), ElementsAre(to_others(5), to(5, "10.0.0.1", "eth1"), to(5, "10.0.0.2")));
}

TEST(PortRoutes, APortBelongsToWhoHasGivenItWays) {
  PortRoutes ways;
  ASSERT_TRUE(ways.add(kAnn, {to(5, "10.0.0.1")}));
  EXPECT_TRUE(ways.belongs_to(5, kAnn));
  EXPECT_FALSE(ways.belongs_to(5, kBob));
  EXPECT_FALSE(ways.belongs_to(6, kAnn));
  ways.forget(6);
  EXPECT_TRUE(ways.belongs_to(5, kAnn));
  PortRoutes later;
  later.take_over(ways.all());
  EXPECT_FALSE(later.belongs_to(5, kAnn)) << "nobody knows any more";
  EXPECT_EQ(later.all(), ways.all());
}

TEST(PortRoutes, TooManyAreRefusedAndChangeNothing) {
  PortRoutes ways({.per_user = 3, .in_all = 5});
  ASSERT_TRUE(ways.add(kAnn, {to_others(5), to(5, "10.0.0.1")}));
  const auto before = ways;
  EXPECT_FALSE(ways.add(kAnn, {to_others(6), to(6, "10.0.0.1")}));
  EXPECT_EQ(ways, before);
  ASSERT_TRUE(ways.add(kAnn, {to(5, "10.0.0.2")}));
  ASSERT_TRUE(ways.add(kBob, {to_others(7), to(7, "10.0.0.1")}));
  const auto refused = ways.add(kBob, {to(7, "10.0.0.2")});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("all users together"), std::string::npos);
}

TEST(PortRoutes, AreForgottenWithTheirPort) {
  PortRoutes ways;
  ASSERT_TRUE(ways.add(kAnn, {to_others(5), to(5, "10.0.0.1"), to(6, "10.0.0.2")}));
  using Ways = std::vector<Egress>;
  EXPECT_FALSE(ways.forget_unused([](std::uint16_t, const Ways&) { return true; }));
  std::vector<std::pair<std::uint16_t, Ways>> asked;
  EXPECT_TRUE(ways.forget_unused([&](std::uint16_t port, const Ways& its) {
    asked.emplace_back(port, its);
    return port == 6;
  }));
  EXPECT_THAT(asked, ElementsAre(std::pair(5, Ways{*to(5, "10.0.0.1").way}),
                                 std::pair(6, Ways{*to(6, "10.0.0.2").way})));
  EXPECT_THAT(ways.all(), ElementsAre(to(6, "10.0.0.2")));
}

}  // namespace
}  // namespace px::broker
