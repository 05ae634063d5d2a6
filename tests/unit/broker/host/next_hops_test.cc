// SPDX-License-Identifier: MIT
// Which next hop an interface is certain to take, and where a mark does better.
#include "broker/host/next_hops.h"

#include <gtest/gtest.h>

#include "tests/unit/broker/host/host_fixture.h"

namespace px::broker {
namespace {

using test::net;
using test::text_of;

struct NextHopsTest : testing::Test, test::HostBuilder {};

TEST_F(NextHopsTest, ARouterThatTheKernelAlwaysTakesNeedsNoMark) {
  two_interfaces();
  route(2, "0.0.0.0/0", "192.0.2.254").metric = 300;
  EXPECT_FALSE(entry(1).needs_mark) << "the other default route comes later";
  EXPECT_TRUE(entry(3).needs_mark);
  EXPECT_FALSE(entry(6).needs_mark);
  route(2, "203.0.113.0/24", "192.0.2.254");
  EXPECT_TRUE(entry(1).needs_mark) << "some destinations take the other router";
}

TEST_F(NextHopsTest, ATableForSomeSourcesMakesTheRouterUncertain) {
  two_interfaces();
  rule(true, 100, 77).source = net("198.51.100.10");
  kernel::Route& other = route(2, "0.0.0.0/0", "192.0.2.254");
  other.table = 77;
  EXPECT_TRUE(entry(1).needs_mark);
}

// The usual recipe for several uplinks.
TEST_F(NextHopsTest, ATableThatHasTheSameRouterFirstLeavesItCertain) {
  two_interfaces();
  route(2, "0.0.0.0/0", "192.0.2.254").metric = 300;
  rule(true, 100, 77).source = net("192.0.2.10/32");
  route(2, "0.0.0.0/0", "192.0.2.1").table = 77;
  EXPECT_FALSE(entry(1).needs_mark);
  EXPECT_TRUE(entry(1).kernel_source);
  kernel::Route& other = route(2, "0.0.0.0/0", "192.0.2.254");
  other.table = 77;
  EXPECT_TRUE(entry(1).needs_mark) << "an equal one by another router";
}

// Another interface's source, whose rule leads nowhere by this one: main's routes are left.
TEST_F(NextHopsTest, AnotherSourceReachesWhatTheInterfaceReachesByOtherRules) {
  two_interfaces();
  rule(true, 100, 77).source = net("192.0.2.10/32");
  rule(true, 100, 78).source = net("198.51.100.10/32");
  route(2, "0.0.0.0/0", "192.0.2.1").table = 77;
  route(3, "0.0.0.0/0", "198.51.100.1").table = 78;
  EXPECT_FALSE(entry(2).own_source);
  EXPECT_EQ(entry(2).interface_reach, entry(2).reach);
  std::erase_if(state.routes, [](const auto& each) { return each.table == RT_TABLE_MAIN; });
  EXPECT_NE(entry(2).interface_reach, entry(2).reach) << "the routes are for the own source alone";
}

// Over IPv6 the kernel looks for a route before it has a source.
TEST_F(NextHopsTest, Ipv6RoutesOfASourcesTableAreFoundByTheSourceAlone) {
  link(2, "eth0");
  address(2, "2001:db8::10/64");
  rule(false, 100, 77).source = net("2001:db8::10/128");
  route(2, "::/0", "fe80::1").table = 77;
  EXPECT_TRUE(entry(1).kernel_source);
  EXPECT_TRUE(entry(1).routed_by_source);
  EXPECT_FALSE(entry(1).needs_mark);
  route(2, "::/0", "fe80::1");
  EXPECT_FALSE(entry(1).routed_by_source) << "in main, too";
}

// PX-2, PX-7: any router is a way out for any destination.
TEST_F(NextHopsTest, AMarkLeadsFurtherThanARouterOfSpecificRoutes) {
  two_interfaces();
  EXPECT_FALSE(entry(1).mark_leads_further);
  denying_route("10.0.0.0/8");
  EXPECT_FALSE(entry(1).mark_leads_further) << "no way is what the host says";
  state.routes.clear();
  route(2, "10.0.0.0/8", "192.0.2.1");
  EXPECT_TRUE(entry(1).default_next_hop);
  EXPECT_FALSE(entry(1).needs_mark);
  EXPECT_TRUE(entry(1).mark_leads_further);
  route(2, "0.0.0.0/1", "192.0.2.1");
  route(2, "128.0.0.0/1", "192.0.2.1");
  EXPECT_FALSE(entry(1).mark_leads_further) << "halves are everything (openvpn's def1)";
}

// wg-quick's rules: what is not the tunnel's own packets goes into the tunnel.
TEST_F(NextHopsTest, BesideAVpnsRulesTheInterfacesRouteIsItsOwn) {
  two_interfaces();
  link(4, "wg0");
  address(4, "10.8.0.2/32");
  device_route(4, "0.0.0.0/0").table = 51820;
  rule(true, 32764, RT_TABLE_MAIN).suppressed_length = kernel::kIpv4PrefixOffset;
  kernel::Rule& not_the_tunnel = rule(true, 32765, 51820);
  not_the_tunnel.mark = 51820;
  not_the_tunnel.mark_mask = 0xffffffff;
  not_the_tunnel.invert = true;
  const Snapshot snapshot = snapshot_of(state);
  unsigned own = 0;
  for (const Entry& entry : snapshot.entries) {
    if (!entry.own_source) continue;
    ++own;
    EXPECT_TRUE(entry.kernel_source && entry.certain) << entry.interface;
    EXPECT_FALSE(entry.needs_mark || entry.mark_leads_further) << entry.interface;
    EXPECT_EQ(text_of(snapshot.reach.at(entry.reach)), "0.0.0.0-255.255.255.255");
  }
  EXPECT_EQ(own, 3u);
}

}  // namespace
}  // namespace px::broker
