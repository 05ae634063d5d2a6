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
  PortRoutes routes;
  EXPECT_TRUE(routes.empty());
  ASSERT_TRUE(routes.add(kAnn, {to_others(5), to(5, "10.0.0.1")}));
  ASSERT_TRUE(routes.add(kAnn, {to_others(5), to(5, "10.0.0.1", "eth1"), to(5, "10.0.0.2")}));
  EXPECT_THAT(routes.all(),
              ElementsAre(to_others(5), to(5, "10.0.0.1", "eth1"), to(5, "10.0.0.2")));
}

TEST(PortRoutes, APortBelongsToTheUserThatGaveItRoutes) {
  PortRoutes routes;
  ASSERT_TRUE(routes.add(kAnn, {to(5, "10.0.0.1")}));
  EXPECT_TRUE(routes.belongs_to(5, kAnn));
  EXPECT_FALSE(routes.belongs_to(5, kBob));
  EXPECT_FALSE(routes.belongs_to(6, kAnn));
  routes.forget(6);
  EXPECT_TRUE(routes.belongs_to(5, kAnn));
  PortRoutes later;
  later.take_over(routes.all());
  EXPECT_FALSE(later.belongs_to(5, kAnn)) << "nobody knows any more";
  EXPECT_EQ(later.all(), routes.all());
}

TEST(PortRoutes, TooManyAreRefusedAndChangeNothing) {
  PortRoutes routes({.per_user = 3, .in_all = 5});
  ASSERT_TRUE(routes.add(kAnn, {to_others(5), to(5, "10.0.0.1")}));
  const auto before = routes;
  EXPECT_FALSE(routes.add(kAnn, {to_others(6), to(6, "10.0.0.1")}));
  EXPECT_EQ(routes, before);
  ASSERT_TRUE(routes.add(kAnn, {to(5, "10.0.0.2")}));
  ASSERT_TRUE(routes.add(kBob, {to_others(7), to(7, "10.0.0.1")}));
  const auto refused = routes.add(kBob, {to(7, "10.0.0.2")});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("all users together"), std::string::npos);
}

TEST(PortRoutes, AreForgottenWithTheirPort) {
  PortRoutes routes;
  ASSERT_TRUE(routes.add(kAnn, {to_others(5), to(5, "10.0.0.1"), to(6, "10.0.0.2")}));
  using Egresses = std::vector<Egress>;
  EXPECT_FALSE(routes.forget_unused([](std::uint16_t, const Egresses&) { return true; }));
  std::vector<std::pair<std::uint16_t, Egresses>> asked;
  EXPECT_TRUE(routes.forget_unused([&](std::uint16_t port, const Egresses& its) {
    asked.emplace_back(port, its);
    return port == 6;
  }));
  EXPECT_THAT(asked, ElementsAre(std::pair(5, Egresses{*to(5, "10.0.0.1").egress}),
                                 std::pair(6, Egresses{*to(6, "10.0.0.2").egress})));
  EXPECT_THAT(routes.all(), ElementsAre(to(6, "10.0.0.2")));
}

}  // namespace
}  // namespace px::broker
