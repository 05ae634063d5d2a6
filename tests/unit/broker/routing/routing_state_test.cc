// SPDX-License-Identifier: MIT
#include "broker/routing/routing_state.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "broker/host/own_routing.h"
#include "tests/unit/broker/host/host_fixture.h"
#include "tests/unit/broker/routing/mark_mask.h"

namespace px::broker {
namespace {

using test::addr;
using test::StateBuilder;

struct Host : StateBuilder {
  Host() {
    link(2, "eth0");
    device_route(2, "192.0.2.0/24");
    device_route(2, "2001:db8::/64");
    route(2, "0.0.0.0/0", "192.0.2.1");
  }
};

RoutingState wanted(const RoutingDemand& demand, const kernel::State& kernel) {
  const auto allocator = MarkAllocator{}.with(keys_of(demand), kMask);
  EXPECT_TRUE(allocator);
  return wanted_state(demand, *allocator, kMask, kernel);
}

RoutingDemand one_table(TableRoute route) {
  return {{{"one", route, std::nullopt}}, {}};
}

const OwnRoute* find(const RoutingState& state, bool ipv4, bool unreachable,
                     std::string_view destination) {
  for (const OwnRoute& route : state.routes) {
    const auto net = test::net(destination);
    if (route.ipv4 == ipv4 && route.unreachable() == unreachable && route.length == net.length &&
        route.destination == net.base) {
      return &route;
    }
  }
  return nullptr;
}

// The kernel after the changes, so far as it is px's.
RoutingState after(RoutingState state, const RoutingChanges& changes) {
  for (const auto& route : changes.added_routes) state.routes.insert(route);
  for (const auto& rule : changes.added_rules) state.rules.insert(rule);
  for (const auto& rule : changes.removed_rules) state.rules.erase(rule);
  for (const auto& route : changes.removed_routes) state.routes.erase(route);
  return state;
}

TEST(RoutingState, GuardsEveryTableAndEveryMarkInBothFamilies) {
  const auto state = wanted(one_table({2, addr("192.0.2.254"), false}), Host().state);
  EXPECT_EQ(state.routes.size(), 3U);
  EXPECT_EQ(state.rules.size(), 4U);
  for (const bool ipv4 : {true, false}) {
    const OwnRoute* guard = find(state, ipv4, true, ipv4 ? "0.0.0.0/0" : "::/0");
    ASSERT_NE(guard, nullptr);
    EXPECT_EQ(guard->metric, UINT32_MAX);
    EXPECT_EQ(guard->table, kOwnTableBase + 1);
    EXPECT_TRUE(
        state.rules.contains({ipv4, kMarkPriority, 0x01000000, kMask, false, kOwnTableBase + 1}));
    EXPECT_TRUE(state.rules.contains({ipv4, kGuardPriority, 0, kMask, true, std::nullopt}));
  }
}

TEST(RoutingState, ANextHopThatIsNoNeighbourIsOnlink) {
  Host host;
  const auto of = [&](const char* next_hop) {
    const bool ipv4 = addr(next_hop).is_ipv4();
    const TableRoute leading{2, addr(next_hop), false};
    RoutingDemand demand{{{"one", std::nullopt, std::nullopt}}, {}};
    (ipv4 ? demand.tables[0].ipv4 : demand.tables[0].ipv6) = leading;
    const auto state = wanted(demand, host.state);
    const OwnRoute* route = find(state, ipv4, false, ipv4 ? "0.0.0.0/0" : "::/0");
    return route != nullptr && route->next_hop == addr(next_hop) && route->onlink;
  };
  EXPECT_FALSE(of("192.0.2.254"));
  EXPECT_TRUE(of("203.0.113.1"));
  EXPECT_FALSE(of("2001:db8::1"));
  EXPECT_TRUE(of("2001:db8:9::1"));
  EXPECT_FALSE(of("fe80::1"));
}

TEST(RoutingState, TakesTheConnectedNetworksFromTheMainTable) {
  Host host;
  host.device_route(3, "198.51.100.0/24");
  const auto state = wanted(one_table({2, addr("192.0.2.254"), true}), host.state);
  const OwnRoute* neighbours = find(state, true, false, "192.0.2.0/24");
  ASSERT_NE(neighbours, nullptr);
  EXPECT_FALSE(neighbours->next_hop);
  EXPECT_EQ(find(state, true, false, "198.51.100.0/24"), nullptr) << "another interface's";
  EXPECT_EQ(find(state, false, false, "2001:db8::/64"), nullptr) << "the family has no route";
}

// Their default routes may stand in any table.
TEST(RoutingState, AListeningSocketsMarkGoesByTheHostsOwnRules) {
  RoutingDemand demand = one_table({2, std::nullopt, false});
  demand.received = {{2, "one"}};
  const auto allocator = MarkAllocator{}.with(keys_of(demand), kMask);
  const auto state = wanted_state(demand, *allocator, kMask, Host().state);
  OwnRule rule{true,  kMarkPriority, allocator->marks(kMask).at(kReceivedKey),
               kMask, false,         std::nullopt};
  rule.action = OwnAction::kGoBehind;
  rule.go_to = kBehindPriority;
  EXPECT_TRUE(state.rules.contains(rule));
  rule = behind();
  rule.ipv4 = true;
  EXPECT_TRUE(state.rules.contains(rule));
  EXPECT_EQ(changes_between({}, state).added_rules.front().action, OwnAction::kNothing);
}

TEST(RoutingState, ItsRulesStandBeforeThoseOfTheHost) {
  Host host;
  const auto priorities = [&] {
    std::set<std::uint32_t> found;
    for (const OwnRule& rule : wanted(one_table({2, std::nullopt, false}), host.state).rules) {
      found.insert(rule.priority);
    }
    return found;
  };
  EXPECT_EQ(priorities(), (std::set{kMarkPriority, kGuardPriority}));
  host.rule(true, 1000, 77).source = test::net("192.0.2.10/32");
  EXPECT_EQ(priorities(), (std::set<std::uint32_t>{997, 998}));
  host.rule(true, 1, 78);
  EXPECT_EQ(priorities(), (std::set<std::uint32_t>{4, 5})) << "as low as there is room";
}

TEST(RoutingState, AnEmptyDemandWantsNothing) {
  EXPECT_TRUE(wanted({}, Host().state).empty());
}

TEST(RoutingState, FindsItsOwnAmongOthers) {
  Host host;
  auto& rule = host.rule(true, kMarkPriority, kOwnTableBase + 7);
  rule.mark = 0x07000000;
  rule.mark_mask = kMask;
  rule.protocol = kOwnProtocol;
  host.rule(true, 5000, 99).protocol = RTPROT_STATIC;
  auto& route = host.route(2, "0.0.0.0/0", "192.0.2.254");
  route.table = kOwnTableBase + 7;
  route.protocol = kOwnProtocol;
  auto& foreign = host.route(2, "10.0.0.0/8", "192.0.2.254");
  foreign.table = kOwnTableBase + 7;
  auto& elsewhere = host.route(2, "10.0.0.0/8", "192.0.2.254");
  elsewhere.protocol = kOwnProtocol;
  const auto found = found_state(host.state);
  EXPECT_EQ(found.routes.size(), 1U);
  EXPECT_EQ(
      found.rules,
      (std::set<OwnRule>{{true, kMarkPriority, 0x07000000, kMask, false, kOwnTableBase + 7}}));
}

TEST(RoutingState, WhatIsThereAlreadyStaysUntouched) {
  const auto state = wanted(one_table({2, addr("192.0.2.254"), true}), Host().state);
  const auto changes = changes_between(state, state);
  EXPECT_TRUE(changes.added_routes.empty() && changes.added_rules.empty());
  EXPECT_TRUE(changes.removed_routes.empty() && changes.removed_rules.empty());
}

TEST(RoutingState, GuardsComeFirstAndGoLast) {
  const auto state = wanted(one_table({2, addr("192.0.2.254"), true}), Host().state);
  const auto there = changes_between({}, state);
  EXPECT_TRUE(there.added_routes[0].unreachable() && there.added_routes[1].unreachable());
  EXPECT_TRUE(there.added_routes.back().next_hop) << "after the neighbours it is one of";
  EXPECT_TRUE(there.added_rules[0].inverted && there.added_rules[1].inverted);
  EXPECT_EQ(after({}, there), state);
  const auto back = changes_between(state, {});
  EXPECT_TRUE(back.removed_rules.back().inverted);
  EXPECT_TRUE(back.removed_routes.back().unreachable());
  EXPECT_TRUE(after(state, back).empty());
}

}  // namespace
}  // namespace px::broker
