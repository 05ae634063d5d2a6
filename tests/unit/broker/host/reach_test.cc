// SPDX-License-Identifier: MIT
#include "broker/host/reach.h"

#include <gtest/gtest.h>

#include <random>

#include "broker/host/range_set.h"
#include "tests/unit/broker/host/host_fixture.h"

namespace px::broker {
namespace {

using test::addr;
using test::net;
using test::text_of;

constexpr char kAllIpv4[] = "0.0.0.0-255.255.255.255";
constexpr char kAllIpv6[] = "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

struct ReachTest : testing::Test, test::StateBuilder {
  ReachTest() {
    link(2, "eth0");
    link(3, "wg0");
  }

  std::string reach(std::uint32_t interface, bool ipv4 = true, const char* source = nullptr) {
    Reach reach(state);
    std::optional<Address> from;
    if (source != nullptr) from = addr(source);
    const auto index = reach.find(state.links.at(interface - 1), ipv4, from);
    return text_of(reach.take_lists().at(index));
  }
};

TEST_F(ReachTest, IsWhatTheInterfacesOwnRoutesCover) {
  route(2, "10.0.0.0/8", "192.0.2.1");
  device_route(2, "192.0.2.0/24");
  route(3, "10.1.0.0/16", "198.51.100.1");
  EXPECT_EQ(reach(2), "10.0.0.0-10.255.255.255 192.0.2.0-192.0.2.255");
  EXPECT_EQ(reach(3), "10.1.0.0-10.1.255.255");
  EXPECT_EQ(reach(2, false), "");
}

TEST_F(ReachTest, DefaultRoutesReachEverythingOfTheirFamily) {
  route(2, "0.0.0.0/0", "192.0.2.1");
  route(2, "::/0", "fe80::1");
  EXPECT_EQ(reach(2), kAllIpv4);
  EXPECT_EQ(reach(2, false), kAllIpv6);
  EXPECT_EQ(reach(3), "");
}

TEST_F(ReachTest, DeadNextHopsReachNothing) {
  route(2, "0.0.0.0/0", "192.0.2.1").next_hops[0].alive = false;
  EXPECT_EQ(reach(2), "");
}

TEST_F(ReachTest, MoreSpecificDenialsAreCutOut) {
  route(2, "0.0.0.0/0", "192.0.2.1");
  denying_route("10.0.0.0/8");
  route(2, "10.1.0.0/16", "192.0.2.1");
  route(3, "10.2.0.0/16", "198.51.100.1");
  EXPECT_EQ(reach(2), "0.0.0.0-9.255.255.255 10.1.0.0-10.1.255.255 11.0.0.0-255.255.255.255");
  EXPECT_EQ(reach(3), "10.2.0.0-10.2.255.255");
}

TEST_F(ReachTest, DenialsAtTheEndsOfIpv6AreCutOut) {
  route(2, "::/0", "fe80::1");
  denying_route("::/1");
  denying_route("c000::/2");
  EXPECT_EQ(reach(2, false), "8000::-bfff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST_F(ReachTest, OfEqualPrefixesTheLowerMetricDecides) {
  route(2, "0.0.0.0/0", "192.0.2.1").metric = 100;
  denying_route("0.0.0.0/0").metric = 200;
  EXPECT_EQ(reach(2), kAllIpv4);
  state.routes[1].metric = 50;
  EXPECT_EQ(reach(2), "");
}

TEST_F(ReachTest, OnlyTablesThatUnmarkedTrafficSeesCount) {
  route(2, "0.0.0.0/0", "192.0.2.1").table = 100;
  EXPECT_EQ(reach(2), "");
  rule(true, 1000, 100).mark = 7;
  state.rules[2].mark_mask = 0xff;
  ASSERT_EQ(state.rules[2].table, 100U);
  EXPECT_EQ(reach(2), "");
  state.rules[2].mark = 0x100;
  EXPECT_EQ(reach(2), kAllIpv4) << "the mask leaves nothing of the mark";
}

TEST_F(ReachTest, RulesOfPartOfTheTrafficDoNotCount) {
  route(2, "0.0.0.0/0", "192.0.2.1").table = 100;
  kernel::Rule& added = rule(true, 1000, 100);
  added.selects_some = true;
  EXPECT_EQ(reach(2), "");
  added.selects_some = false;
  added.input_interface = "eth0";
  EXPECT_EQ(reach(2), "");
  added.input_interface = "lo";
  EXPECT_EQ(reach(2), kAllIpv4);
  added.output_interface = "wg0";
  EXPECT_EQ(reach(2), "");
  added.output_interface = "eth0";
  EXPECT_EQ(reach(2), kAllIpv4);
}

// wg-quick: not fwmark 0xca6c lookup 51820; lookup main suppress_prefixlength 0.
TEST_F(ReachTest, WgQuickSendsEverythingToBothInterfaces) {
  route(2, "0.0.0.0/0", "192.0.2.1");
  device_route(2, "192.0.2.0/24");
  device_route(3, "0.0.0.0/0").table = 51820;
  rule(true, 32764, RT_TABLE_MAIN).suppressed_length = kernel::kIpv4PrefixOffset;
  kernel::Rule& inverted = rule(true, 32765, 51820);
  inverted.invert = true;
  inverted.mark = 0xca6c;
  inverted.mark_mask = 0xffffffff;
  EXPECT_EQ(reach(3), kAllIpv4);
  EXPECT_EQ(reach(2), kAllIpv4);
  // A kill switch in the tunnel's table leaves eth0 what main says before its default route.
  denying_route("0.0.0.0/0").table = 51820;
  state.routes.back().metric = 1000;
  EXPECT_EQ(reach(3), kAllIpv4);
  EXPECT_EQ(reach(2), "192.0.2.0-192.0.2.255");
}

TEST_F(ReachTest, EarlierTablesDecideFirstAndThrowPassesOn) {
  route(2, "0.0.0.0/0", "192.0.2.1");
  rule(true, 100, 100);
  denying_route("10.0.0.0/8").table = 100;
  denying_route("10.1.0.0/16").table = 100;
  state.routes.back().kind = kernel::RouteKind::kThrow;
  EXPECT_EQ(reach(2), "0.0.0.0-9.255.255.255 10.1.0.0-10.1.255.255 11.0.0.0-255.255.255.255");
}

TEST_F(ReachTest, RulesForSomeDestinationsReachNoFurther) {
  route(2, "0.0.0.0/0", "192.0.2.1").table = 100;
  rule(true, 100, 100).destination = net("10.0.0.0/8");
  EXPECT_EQ(reach(2), "10.0.0.0-10.255.255.255");
  state.rules[2].invert = true;
  ASSERT_TRUE(state.rules[2].destination);
  EXPECT_EQ(reach(2), "0.0.0.0-9.255.255.255 11.0.0.0-255.255.255.255");
}

TEST_F(ReachTest, DenyingAndJumpingRulesAreFollowed) {
  route(2, "0.0.0.0/0", "192.0.2.1");
  kernel::Rule& denying = rule(true, 200, 0);
  denying.action = kernel::RuleAction::kDeny;
  denying.destination = net("10.0.0.0/8");
  EXPECT_EQ(reach(2), "0.0.0.0-9.255.255.255 11.0.0.0-255.255.255.255");
  kernel::Rule& jump = rule(true, 100, 0);
  jump.action = kernel::RuleAction::kGoto;
  jump.goto_priority = 32766;
  EXPECT_EQ(reach(2), kAllIpv4);
}

TEST_F(ReachTest, RulesBySourceHoldForThatSource) {
  route(2, "0.0.0.0/0", "192.0.2.1").table = 100;
  rule(true, 100, 100).source = net("192.0.2.10/32");
  EXPECT_EQ(reach(2, true, "192.0.2.10"), kAllIpv4);
  EXPECT_EQ(reach(2, true, "192.0.2.11"), "");
  EXPECT_EQ(reach(2), "");
}

TEST_F(ReachTest, TablesForSomeSourcesComeLast) {
  rule(true, 100, 100).source = net("192.0.2.10/32");
  rule(true, 200, 200).mark = 1;
  state.rules[3].mark_mask = 1;
  ASSERT_EQ(state.rules[3].table, 200U);
  const Reach reach(state);
  ASSERT_TRUE(reach.table_position(RT_TABLE_MAIN, true));
  ASSERT_TRUE(reach.table_position(100, true));
  EXPECT_LT(*reach.table_position(RT_TABLE_MAIN, true), *reach.table_position(100, true));
  EXPECT_FALSE(reach.table_position(200, true));
  EXPECT_FALSE(reach.table_position(RT_TABLE_LOCAL, true));
}

// What longest prefix matching says, one address at a time.
bool matches(const kernel::State& state, const Address& address) {
  const kernel::Route* best = nullptr;
  for (const kernel::Route& route : state.routes) {
    const bool mine =
        route.kind != kernel::RouteKind::kUnicast || route.next_hops[0].interface_index == 2;
    const kernel::Prefix& to = route.destination;
    if (!mine || bundle::common_prefix_length(to.base, address) < to.length) continue;
    if (best == nullptr || to.length > best->destination.length ||
        (to.length == best->destination.length && route.metric < best->metric)) {
      best = &route;
    }
  }
  return best != nullptr && best->kind == kernel::RouteKind::kUnicast;
}

TEST_F(ReachTest, AgreesWithLongestPrefixMatching) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    state.routes.clear();
    for (std::uint32_t i = 0; i < 20; ++i) {
      const unsigned length = 24 + random() % 9;
      const std::string to = "255.255.255." +
                             std::to_string((random() % 256) & (0xff00 >> (length - 24)) & 0xff) +
                             "/" + std::to_string(length);
      const auto kind = random() % 3;
      kernel::Route& added = kind == 0 ? denying_route(to) : device_route(1 + kind, to);
      added.metric = i;
    }
    Reach reach(state);
    const auto index = reach.find(state.links[1], true, std::nullopt);
    const Ranges found = reach.take_lists().at(index);
    for (unsigned i = 0; i < 256; ++i) {
      const Address address = addr("255.255.255." + std::to_string(i));
      ASSERT_EQ(contains(found, address), matches(state, address)) << text_of(address);
    }
  }
}

}  // namespace
}  // namespace px::broker
