// SPDX-License-Identifier: MIT
#include "broker/routing/port_rules.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "broker/host/own_routing.h"
#include "tests/unit/broker/host/host_fixture.h"
#include "tests/unit/broker/routing/mark_mask.h"

namespace px::broker {
namespace {

using test::addr;
using test::StateBuilder;

constexpr std::uint16_t kPort = 40'000;

const Egress kOne{"eth0", addr("192.0.2.10"), std::nullopt};
const Egress kTwo{"eth1", addr("198.51.100.10"), std::nullopt};
const Egress kRouter{"eth1", addr("198.51.100.10"), addr("198.51.100.254")};

struct TwoUplinks : StateBuilder {
  TwoUplinks() {
    link(2, "eth0");
    link(3, "eth1");
    device_route(2, "192.0.2.0/24");
    device_route(3, "198.51.100.0/24");
    route(2, "0.0.0.0/0", "192.0.2.1");
    route(3, "0.0.0.0/0", "198.51.100.1").metric = 200;
    route(3, "10.0.0.0/8", "198.51.100.2");
    device_route(3, "2001:db8::/64");
  }
};

class PortRules : public testing::Test {
 protected:
  RoutingState wanted(const std::vector<PortRoute>& ports) {
    RoutingDemand demand;
    demand.ports = ports;
    allocator_ = MarkAllocator{}.with(keys_of(demand), kMask).value();
    return wanted_state(demand, allocator_, kMask, host_.state);
  }
  // "interface gateway source", or what there is instead.
  std::string route_by(const Egress& by, const char* to) {
    const RoutingState state = wanted({{kPort, addr(to), by}});
    std::string text;
    for (const OwnRoute& route : state.routes) {
      if (route.unreachable()) continue;
      EXPECT_EQ(route.destination, addr(to));
      EXPECT_EQ(route.length, 128U);
      EXPECT_EQ(route.source, by.source);
      text += std::to_string(route.interface_index) + " " +
              (route.next_hop ? test::text_of(*route.next_hop) : "direct") +
              (route.onlink ? " onlink" : "");
    }
    return text.empty() ? "unreachable" : text;
  }

  TwoUplinks host_;
  MarkAllocator allocator_;
};

TEST_F(PortRules, APeerLooksInTheTableOfItsEgressAloneAndOthersGetNothing) {
  const auto state =
      wanted({{kPort, std::nullopt, std::nullopt, true}, {kPort, addr("203.0.113.1"), kTwo}});
  ASSERT_EQ(state.rules.size(), 3U);
  for (const OwnRule& rule : state.rules) {
    EXPECT_EQ(rule.sctp_port, kPort);
    EXPECT_EQ(rule.mask, 0U) << "not about marks";
    EXPECT_LT(rule.priority, kInterfacePriority);
    EXPECT_EQ(rule.table.has_value(), rule.destination.has_value());
    EXPECT_EQ(rule.priority, rule.destination ? kPeerPriority : kOtherPeersPriority);
  }
  ASSERT_EQ(state.routes.size(), 2U) << "the peer's, and the guard";
  EXPECT_TRUE(state.routes.contains(table_guard(true, kOwnTableBase + kMostTables)));
}

TEST_F(PortRules, ThereIsTheOneRoute) {
  EXPECT_EQ(route_by(kTwo, "198.51.100.7"), "3 direct");
  EXPECT_EQ(route_by(kRouter, "10.1.2.3"), "3 198.51.100.254");
  EXPECT_EQ(route_by({"eth1", addr("198.51.100.10"), addr("203.0.113.1")}, "10.1.2.3"),
            "3 203.0.113.1 onlink");
}

TEST_F(PortRules, WithoutTheInterfaceItIsUnreachable) {
  EXPECT_EQ(route_by({"eth9", addr("192.0.2.10"), std::nullopt}, "203.0.113.1"), "unreachable");
}

TEST_F(PortRules, UnsteeredGoesOnBehindAllRules) {
  const auto state = wanted({{kPort, addr("203.0.113.1"), std::nullopt}});
  EXPECT_TRUE(state.routes.empty());
  std::size_t targets = 0;
  for (const OwnRule& rule : state.rules) {
    EXPECT_FALSE(rule.table);
    EXPECT_EQ(rule.action, rule.sctp_port != 0 ? OwnAction::kGoBehind : OwnAction::kNothing);
    if (rule.action == OwnAction::kNothing) {
      EXPECT_EQ(rule.priority, kBehindPriority);
    }
    targets += rule.action == OwnAction::kNothing ? 1U : 0U;
  }
  EXPECT_EQ(targets, 2U) << "one in each family";
}

TEST_F(PortRules, WhatIsInTheKernelSaysWhatItStandsFor) {
  const std::vector<PortRoute> ports{{kPort, std::nullopt, std::nullopt, true},
                                     {kPort, addr("10.1.2.3"), kRouter},
                                     {kPort, addr("203.0.113.1"), std::nullopt},
                                     {kPort + 1, addr("2001:db8::1"), kOne}};
  for (const OwnRule& rule : wanted(ports).rules) {
    auto& found = host_.rule(rule.ipv4, rule.priority, rule.table.value_or(0));
    found.protocol = kOwnProtocol;
    if (rule.sctp_port != 0) found.ip_protocol = IPPROTO_SCTP;
    found.source_port = rule.sctp_port;
    if (rule.destination) found.destination = kernel::Prefix{*rule.destination, 128};
    if (!rule.table) found.action = kernel::RuleAction::kDeny;
    if (rule.action == OwnAction::kNothing) found.action = kernel::RuleAction::kNothing;
    if (rule.action == OwnAction::kGoBehind) {
      found.action = kernel::RuleAction::kGoto;
      found.goto_priority = kBehindPriority;
    }
  }
  EXPECT_EQ(found_state(host_.state).rules, wanted(ports).rules);
  EXPECT_EQ(found_ports(host_.state, allocator_), ports);
  EXPECT_TRUE(found_ports(host_.state, {}).empty()) << "without the tables' meaning";
}

TEST(Egress, ItsKeyIsItsText) {
  for (const Egress& egress : {kOne, kRouter, Egress{"wg-0", addr("fd00::1"), std::nullopt}}) {
    EXPECT_EQ(egress_from_key(to_key(egress)), egress);
  }
  EXPECT_EQ(to_key(kRouter), "port eth1 198.51.100.10 198.51.100.254");
  for (const char* other : {"", "port", "port eth1", "port eth1 x", "port eth1 10.0.0.1 x",
                            "via eth1 10.0.0.1", "port  10.0.0.1"}) {
    EXPECT_FALSE(egress_from_key(other)) << other;
  }
}

}  // namespace
}  // namespace px::broker
