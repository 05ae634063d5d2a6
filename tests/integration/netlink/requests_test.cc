// SPDX-License-Identifier: MIT
// What is asked of a real kernel, in a namespace for each test: its answers, what it says
// afterwards, and what it tells those who have subscribed.
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>

#include "netlink/generic_family.h"
#include "netlink/kernel_state_changes.h"
#include "netlink/kernel_state_dump.h"
#include "netlink/route_changes.h"
#include "tests/integration/broker/host/watcher_fixture.h"

namespace px::netlink {
namespace {

using broker::addr;
using broker::ip;

constexpr std::uint32_t kTable = 4711;
constexpr std::uint8_t kProtocol = 99;

class NetlinkRequests : public testing::Test {
 protected:
  void SetUp() override {
    const std::string missing = px::test::enter_new_network_namespace();
    if (!missing.empty()) GTEST_SKIP() << missing;
    ip("link set lo up");
    broker::add_link("eth0");
    ip("address add 192.0.2.10/24 dev eth0");
    ip("address add 2001:db8::10/64 dev eth0 nodad");
    auto socket = RequestSocket::open(Protocol::kRoute);
    ASSERT_TRUE(socket) << socket.error().message;
    socket_.emplace(std::move(*socket));
  }

  static std::vector<kernel::Route> routes() {
    auto state = read_kernel_state();
    std::erase_if(state->routes, [](const auto& route) { return route.table != kTable; });
    return state->routes;
  }
  static std::vector<kernel::Rule> rules() {
    auto state = read_kernel_state();
    std::erase_if(state->rules, [](const auto& rule) { return rule.protocol != kProtocol; });
    return state->rules;
  }

  static kernel::Route route_by(const char* gateway, std::uint32_t metric = 7) {
    kernel::Route route;
    route.ipv4 = true;
    route.destination = {addr("203.0.113.0"), kernel::kIpv4PrefixOffset + 24};
    route.table = kTable;
    route.metric = metric;
    route.protocol = kProtocol;
    route.next_hops = {{if_nametoindex("eth0"), addr(gateway)}};
    return route;
  }

  std::optional<RequestSocket> socket_;
};

TEST_F(NetlinkRequests, ARouteIsAddedReplacedAndRemoved) {
  ASSERT_EQ(add_route(*socket_, route_by("192.0.2.1")), 0);
  ASSERT_EQ(add_route(*socket_, route_by("192.0.2.2")), 0);
  ASSERT_EQ(routes().size(), 1U);
  const kernel::Route found = routes().front();
  EXPECT_EQ(found.kind, kernel::RouteKind::kUnicast);
  EXPECT_EQ(found.destination.base, addr("203.0.113.0"));
  EXPECT_EQ(found.destination.length, kernel::kIpv4PrefixOffset + 24);
  EXPECT_EQ(found.metric, 7U);
  EXPECT_EQ(found.protocol, kProtocol);
  ASSERT_EQ(found.next_hops.size(), 1U);
  EXPECT_EQ(found.next_hops.front().gateway, addr("192.0.2.2"));
  EXPECT_EQ(remove_route(*socket_, found), 0);
  EXPECT_EQ(remove_route(*socket_, found), ESRCH);
  EXPECT_TRUE(routes().empty());
}

TEST_F(NetlinkRequests, RoutesMayDenyOrLeadThroughTheOtherFamily) {
  kernel::Route denying = route_by("192.0.2.1", 9);
  denying.kind = kernel::RouteKind::kDeny;
  denying.next_hops.clear();
  kernel::Route through_ipv6 = route_by("2001:db8::1");
  through_ipv6.next_hops.front().onlink = true;
  ASSERT_EQ(add_route(*socket_, denying), 0);
  ASSERT_EQ(add_route(*socket_, through_ipv6), 0);
  ASSERT_EQ(routes().size(), 2U);
  EXPECT_EQ(routes().front().next_hops.front().gateway, addr("2001:db8::1"));
  EXPECT_TRUE(routes().front().next_hops.front().onlink);
  EXPECT_EQ(routes().back().kind, kernel::RouteKind::kDeny);
}

TEST_F(NetlinkRequests, AnswersAreTheKernelsErrno) {
  EXPECT_EQ(add_route(*socket_, route_by("198.51.100.1")), ENETUNREACH);
  ip("link set eth0 down");
  kernel::Route on_link = route_by("192.0.2.1");
  on_link.next_hops.front().onlink = true;
  EXPECT_EQ(add_route(*socket_, on_link), ENETDOWN);
  ip("link set eth0 up");
  EXPECT_EQ(add_route(*socket_, route_by("192.0.2.1")), 0) << "the socket serves on";
}

TEST_F(NetlinkRequests, ARuleIsAddedOnceAndRemoved) {
  kernel::Rule rule;
  rule.protocol = kProtocol;
  rule.priority = 100;
  rule.action = kernel::RuleAction::kTable;
  rule.table = kTable;
  rule.invert = true;
  rule.mark = 0x10;
  rule.mark_mask = 0xf0;
  rule.output_interface = "eth0";
  rule.input_interface = "lo";
  rule.ip_protocol = IPPROTO_SCTP;
  rule.source_port = 5000;
  for (const bool ipv4 : {true, false}) {
    rule.ipv4 = ipv4;
    rule.destination = {addr(ipv4 ? "203.0.113.1" : "2001:db8::1"), 128};
    rule.source = {addr(ipv4 ? "192.0.2.0" : "2001:db8::"), ipv4 ? 96U + 24 : 64U};
    ASSERT_EQ(add_rule(*socket_, rule), 0);
    EXPECT_EQ(add_rule(*socket_, rule), EEXIST);
    ASSERT_EQ(rules().size(), 1U);
    const kernel::Rule found = rules().front();
    EXPECT_EQ(found.ipv4, ipv4);
    EXPECT_EQ(found.priority, 100U);
    EXPECT_EQ(found.action, kernel::RuleAction::kTable);
    EXPECT_EQ(found.table, kTable);
    EXPECT_TRUE(found.invert);
    EXPECT_EQ(found.mark, 0x10U);
    EXPECT_EQ(found.mark_mask, 0xf0U);
    EXPECT_EQ(found.output_interface, "eth0");
    EXPECT_EQ(found.input_interface, "lo");
    EXPECT_EQ(found.ip_protocol, IPPROTO_SCTP);
    EXPECT_EQ(found.source_port, 5000);
    ASSERT_TRUE(found.source && found.destination);
    EXPECT_EQ(found.source->base, rule.source->base);
    EXPECT_EQ(found.source->length, rule.source->length);
    EXPECT_EQ(found.destination->base, rule.destination->base);
    EXPECT_EQ(found.destination->length, 128U);
    EXPECT_EQ(remove_rule(*socket_, found), 0);
    EXPECT_EQ(remove_rule(*socket_, found), ENOENT);
  }
}

TEST_F(NetlinkRequests, RulesGoOnOrDeny) {
  kernel::Rule rule;
  rule.ipv4 = true;
  rule.protocol = kProtocol;
  rule.priority = 102;
  ASSERT_EQ(add_rule(*socket_, rule), 0);
  rule.priority = 101;
  rule.action = kernel::RuleAction::kDeny;
  ASSERT_EQ(add_rule(*socket_, rule), 0);
  rule.priority = 100;
  rule.action = kernel::RuleAction::kGoto;
  rule.goto_priority = 102;
  ASSERT_EQ(add_rule(*socket_, rule), 0);
  ASSERT_EQ(rules().size(), 3U);
  EXPECT_EQ(rules()[0].action, kernel::RuleAction::kGoto);
  EXPECT_EQ(rules()[0].goto_priority, 102U);
  EXPECT_EQ(rules()[1].action, kernel::RuleAction::kDeny);
  EXPECT_EQ(rules()[2].action, kernel::RuleAction::kNothing);
}

TEST_F(NetlinkRequests, ChangesAreHeardWithTheirProtocol) {
  const auto events = subscribe_to_kernel_state(1 << 20);
  ASSERT_TRUE(events) << events.error().message;
  ASSERT_EQ(add_route(*socket_, route_by("192.0.2.1")), 0);
  ASSERT_EQ(remove_route(*socket_, route_by("192.0.2.1")), 0);
  ip("link set eth0 mtu 1400");
  std::vector<KernelStateChange> changes;
  // The kernel tells before it acknowledges.
  EXPECT_TRUE(read_kernel_state_changes(
      events->get(), [&](const KernelStateChange& change) { changes.push_back(change); }));
  ASSERT_GE(changes.size(), 3U);
  EXPECT_TRUE(changes[0].is_route && !changes[0].is_removal);
  EXPECT_EQ(changes[0].protocol, kProtocol);
  EXPECT_TRUE(changes[1].is_route && changes[1].is_removal);
  EXPECT_EQ(changes[1].protocol, kProtocol);
  EXPECT_FALSE(changes[2].is_route);
}

TEST_F(NetlinkRequests, MoreThanTheBufferHoldsIsToldAsLost) {
  const auto events = subscribe_to_kernel_state(1);
  ASSERT_TRUE(events) << events.error().message;
  for (std::uint32_t metric = 1; metric <= 64; ++metric) {
    ASSERT_EQ(add_route(*socket_, route_by("192.0.2.1", metric)), 0);
  }
  int heard = 0;
  const auto count = [&](const KernelStateChange&) { ++heard; };
  EXPECT_FALSE(read_kernel_state_changes(events->get(), count));
  EXPECT_LT(heard, 64);
  EXPECT_TRUE(read_kernel_state_changes(events->get(), count)) << "told once";
}

TEST_F(NetlinkRequests, GenericFamiliesAreFoundByName) {
  auto socket = RequestSocket::open(Protocol::kGeneric);
  ASSERT_TRUE(socket) << socket.error().message;
  EXPECT_FALSE(find_generic_family(*socket, "px-nothing"));
  const auto family = find_generic_family(*socket, "nlctrl");
  ASSERT_TRUE(family) << family.error().message;
  EXPECT_EQ(family->id, 0x10);
  EXPECT_TRUE(family->groups.contains("notify"));
}

}  // namespace
}  // namespace px::netlink
