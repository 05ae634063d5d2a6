// SPDX-License-Identifier: MIT
#include "broker/host/entries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "broker/host/range_set.h"
#include "tests/unit/broker/host/host_fixture.h"

namespace px::broker {
namespace {

using test::addr;
using test::net;
using test::text_of;
using testing::ElementsAre;
using testing::IsEmpty;

struct EntriesTest : testing::Test, test::HostBuilder {
  // "NUMBER INTERFACE NEXT-HOP SOURCE FLAGS": o own source, d default next hop, k kernel's source.
  std::vector<std::string> lines() {
    std::vector<std::string> lines;
    for (const Entry& entry : snapshot_of(state).entries) {
      std::string line = std::to_string(entry.number) + " " + entry.interface + " " +
                         (entry.next_hop ? text_of(*entry.next_hop) : "direct") + " " +
                         text_of(entry.source) + " ";
      if (entry.own_source) line += 'o';
      if (entry.default_next_hop) line += 'd';
      if (entry.kernel_source) line += 'k';
      lines.push_back(std::move(line));
    }
    return lines;
  }

  // "INTERFACE NEXT-HOP SOURCE", with "mark" where only a mark makes sure of the next hop.
  std::vector<std::string> next_hops(const std::vector<AddedRouter>& added = {}) {
    std::vector<std::string> lines;
    for (const Entry& entry : snapshot_of(state, added).entries) {
      std::string line = entry.interface + " " +
                         (entry.next_hop ? text_of(*entry.next_hop) : "direct") + " " +
                         text_of(entry.source);
      if (entry.default_next_hop) line += " default";
      if (entry.needs_mark) line += " mark";
      lines.push_back(std::move(line));
    }
    return lines;
  }

  std::string kernel_source(bool ipv4) {
    for (const Entry& entry : snapshot_of(state).entries) {
      if (entry.kernel_source && entry.source.is_ipv4() == ipv4) return text_of(entry.source);
    }
    return "none";
  }
};

// PX-2: two interfaces with two routers and one address each.
TEST_F(EntriesTest, AreTheFullCrossProduct) {
  two_interfaces();
  route(2, "0.0.0.0/0", "192.0.2.254").metric = 300;
  route(3, "203.0.113.0/24", "198.51.100.254");
  EXPECT_THAT(
      lines(),
      ElementsAre("1 eth0 192.0.2.1 192.0.2.10 odk", "2 eth0 192.0.2.1 198.51.100.10 d",
                  "3 eth0 192.0.2.254 192.0.2.10 ok", "4 eth0 192.0.2.254 198.51.100.10 ",
                  "5 eth1 198.51.100.1 192.0.2.10 d", "6 eth1 198.51.100.1 198.51.100.10 odk",
                  "7 eth1 198.51.100.254 192.0.2.10 ", "8 eth1 198.51.100.254 198.51.100.10 ok"));
}

// PX-9, as the paper's Figure 3: one equal-cost route over all routers.
TEST_F(EntriesTest, EveryRouterOfAnEqualCostRouteStandsInTheList) {
  link(2, "eth0");
  link(3, "eth1");
  address(2, "192.0.2.10/24");
  address(3, "198.51.100.10/24");
  route(2, "0.0.0.0/0", "192.0.2.2").next_hops = {{2, addr("192.0.2.2"), false, true},
                                                  {2, addr("192.0.2.1"), false, true},
                                                  {3, addr("198.51.100.1"), false, true},
                                                  {3, addr("198.51.100.2"), false, true}};
  EXPECT_THAT(
      next_hops(),
      ElementsAre("eth0 192.0.2.1 192.0.2.10 default mark",
                  "eth0 192.0.2.1 198.51.100.10 default mark", "eth0 192.0.2.2 192.0.2.10 mark",
                  "eth0 192.0.2.2 198.51.100.10 mark", "eth1 198.51.100.1 192.0.2.10 default mark",
                  "eth1 198.51.100.1 198.51.100.10 default mark",
                  "eth1 198.51.100.2 192.0.2.10 mark", "eth1 198.51.100.2 198.51.100.10 mark"));
}

// An equal-cost set of IPv6 is a route each, of one metric.
TEST_F(EntriesTest, EqualDefaultRoutesOfIpv6AreUncertain) {
  link(2, "eth0");
  address(2, "2001:db8::10/64");
  route(2, "::/0", "fe80::1").metric = 1024;
  route(2, "::/0", "fe80::2").metric = 1024;
  EXPECT_THAT(next_hops(), ElementsAre("eth0 fe80::1 2001:db8::10 default mark",
                                       "eth0 fe80::2 2001:db8::10 mark"));
}

// PX-7.
TEST_F(EntriesTest, AddedRoutersAreNextHopsOfTheInterfaceThatHasTheirNetwork) {
  two_interfaces();
  link(4, "lan0");
  address(4, "10.0.0.10/24");
  const auto lines = next_hops({*router_from_text("192.0.2.77"), *router_from_text("10.0.0.1"),
                                *router_from_text("203.0.113.1")});
  EXPECT_THAT(lines, testing::Contains("eth0 192.0.2.77 192.0.2.10 mark"));
  EXPECT_THAT(lines, testing::Contains("eth0 192.0.2.1 192.0.2.10 default"));
  EXPECT_THAT(lines, testing::Contains("lan0 direct 10.0.0.10 default"));
  EXPECT_THAT(lines, testing::Contains("lan0 10.0.0.1 10.0.0.10 mark"));
  EXPECT_EQ(lines.size(), 3u * 5);
}

TEST_F(EntriesTest, ARouterThatTheRoutesNameTooIsOneNextHop) {
  two_interfaces();
  EXPECT_EQ(next_hops({*router_from_text("192.0.2.1")}), next_hops());
}

TEST_F(EntriesTest, ALinkLocalRouterIsAddedToItsInterfaceAlone) {
  link(2, "eth0");
  link(3, "eth1");
  address(2, "2001:db8:2::10/64");
  address(3, "2001:db8:3::10/64");
  EXPECT_THAT(next_hops({*router_from_text("fe80::1%eth1")}),
              testing::Contains("eth1 fe80::1 2001:db8:3::10 mark"));
  EXPECT_EQ(next_hops({*router_from_text("fe80::1%eth1")}).size(), 6u);
}

TEST_F(EntriesTest, NetworksOfTheInterfaces) {
  two_interfaces();
  const auto networks = snapshot_of(state).networks;
  ASSERT_EQ(networks.size(), 2u);
  EXPECT_EQ(networks[0], (LinkNetwork{"eth0", addr("192.0.2.0"), 120}));
}

// PX-3.
TEST_F(EntriesTest, InterfaceDefaultIsOwnSourceAndOwnRouter) {
  two_interfaces();
  EXPECT_TRUE(entry(1).interface_default());
  EXPECT_FALSE(entry(2).interface_default());
  EXPECT_TRUE(entry(4).interface_default());
}

TEST_F(EntriesTest, FamiliesAreApartAndIpv4ComesFirst) {
  link(2, "eth0");
  address(2, "2001:db8::10/64");
  address(2, "192.0.2.10/24");
  route(2, "::/0", "fe80::1");
  route(2, "0.0.0.0/0", "192.0.2.1");
  EXPECT_THAT(lines(),
              ElementsAre("1 eth0 192.0.2.1 192.0.2.10 odk", "2 eth0 fe80::1 2001:db8::10 odk"));
}

TEST_F(EntriesTest, NoneFromLoopbackOrLinkLocalAddresses) {
  link(2, "eth0");
  address(1, "127.0.0.1/8").scope = RT_SCOPE_HOST;
  address(1, "::1/128").scope = RT_SCOPE_HOST;
  address(2, "fe80::10/64").scope = RT_SCOPE_LINK;
  EXPECT_THAT(lines(), IsEmpty());
  route(2, "::/0", "fe80::1");
  EXPECT_THAT(lines(), IsEmpty()) << "a router alone has no source";
}

TEST_F(EntriesTest, AddressesOnLoopbackAreSourcesElsewhere) {
  link(2, "eth0");
  address(1, "203.0.113.1/32");
  address(2, "192.0.2.10/24");
  route(2, "0.0.0.0/0", "192.0.2.1");
  EXPECT_THAT(lines(),
              ElementsAre("1 eth0 192.0.2.1 192.0.2.10 odk", "2 eth0 192.0.2.1 203.0.113.1 d"));
}

TEST_F(EntriesTest, InterfacesWithoutRoutersNeedNoNextHop) {
  link(2, "eth0");
  link(3, "wg0");
  link(4, "br0");
  address(2, "192.0.2.10/24");
  device_route(3, "10.0.0.0/8");
  EXPECT_THAT(lines(), ElementsAre("1 eth0 direct 192.0.2.10 odk", "2 wg0 direct 192.0.2.10 dk"));
}

TEST_F(EntriesTest, ADefaultDeviceRouteStandsBesideRouters) {
  link(2, "tun0");
  address(2, "10.8.0.2/24");
  device_route(2, "0.0.0.0/0").metric = 50;
  route(2, "172.16.0.0/12", "10.8.0.1");
  EXPECT_THAT(lines(), ElementsAre("1 tun0 direct 10.8.0.2 odk", "2 tun0 10.8.0.1 10.8.0.2 ok"));
}

TEST_F(EntriesTest, DefaultNextHopHasTheLowestMetricThenTheBestPreference) {
  link(2, "eth0");
  address(2, "2001:db8::10/64");
  route(2, "::/0", "fe80::1").metric = 1024;
  route(2, "::/0", "fe80::2").metric = 1024;
  state.routes.back().router_rank = 0;
  route(2, "2001:db8:1::/48", "fe80::3").metric = 1;
  EXPECT_THAT(lines(),
              ElementsAre("1 eth0 fe80::1 2001:db8::10 ok", "2 eth0 fe80::2 2001:db8::10 odk",
                          "3 eth0 fe80::3 2001:db8::10 ok"));
  state.routes[1].metric = 512;
  EXPECT_TRUE(entry(1).default_next_hop);
}

TEST_F(EntriesTest, WithoutADefaultRouteTheLeastSpecificRouterIsTheDefault) {
  link(2, "tun0");
  address(2, "10.8.0.2/24");
  route(2, "10.0.0.0/8", "10.8.0.9");
  route(2, "0.0.0.0/1", "10.8.0.77");
  EXPECT_FALSE(entry(1).default_next_hop);
  EXPECT_TRUE(entry(2).default_next_hop);
}

TEST_F(EntriesTest, ARouterOffTheInterfacesNetworksIsNotItsDefault) {
  link(2, "eth0");
  address(2, "192.0.2.10/32");
  kernel::Route& added = route(2, "0.0.0.0/0", "203.0.113.1");
  EXPECT_FALSE(entry(1).default_next_hop);
  added.next_hops[0].onlink = true;
  EXPECT_TRUE(entry(1).default_next_hop);
  added.next_hops[0].onlink = false;
  device_route(2, "203.0.113.1/32");
  EXPECT_TRUE(entry(1).default_next_hop);
}

TEST_F(EntriesTest, MultipathRoutesGiveEachOfTheirRouters) {
  two_interfaces();
  state.routes.clear();
  route(2, "0.0.0.0/0", "192.0.2.1").next_hops.push_back({3, addr("198.51.100.1"), false, true});
  EXPECT_TRUE(entry(1).interface_default());
  EXPECT_EQ(entry(4).next_hop, addr("198.51.100.1"));
  EXPECT_TRUE(entry(4).interface_default());
}

TEST_F(EntriesTest, RoutersOfSourceTablesCount) {
  two_interfaces();
  state.routes.back().table = 101;
  rule(true, 100, 101).source = net("198.51.100.10/32");
  const Snapshot snapshot = snapshot_of(state);
  ASSERT_EQ(snapshot.entries.size(), 4U);
  const Entry& entry = snapshot.entries[3];
  EXPECT_TRUE(entry.interface_default());
  EXPECT_EQ(text_of(snapshot.reach.at(entry.reach)), "0.0.0.0-255.255.255.255");
  EXPECT_TRUE(entry.kernel_source) << "a connect without a source finds it, and then the route";
  EXPECT_FALSE(entry.routed_by_source);
  EXPECT_EQ(text_of(snapshot.reach.at(snapshot.entries[2].reach)), "198.51.100.0-198.51.100.255");
}

TEST_F(EntriesTest, UsableNeedsTheLinkAndTheSource) {
  two_interfaces();
  EXPECT_TRUE(entry(1).usable());
  EXPECT_EQ(why_unusable(entry(1)), "");
  state.links[1].up = false;
  EXPECT_FALSE(entry(1).usable());
  EXPECT_EQ(why_unusable(entry(1)), "link down");
  EXPECT_TRUE(entry(3).usable()) << "an address does not need its own link";
  state.addresses[0].dad_failed = true;
  EXPECT_FALSE(entry(3).usable());
  EXPECT_EQ(why_unusable(entry(3)), "source address not valid");
  EXPECT_TRUE(entry(4).usable());
}

TEST_F(EntriesTest, TentativeAndFailedSourcesAreNotValid) {
  link(2, "eth0");
  kernel::InterfaceAddress& added = address(2, "2001:db8::10/64");
  added.tentative = true;
  EXPECT_FALSE(entry(1).source_valid);
  added.optimistic = true;
  EXPECT_TRUE(entry(1).source_valid);
  added.dad_failed = true;
  EXPECT_FALSE(entry(1).source_valid);
}

TEST_F(EntriesTest, KernelSourceIpv4) {
  link(2, "eth0");
  address(2, "203.0.113.10/24");
  address(2, "192.0.2.10/24");
  address(2, "192.0.2.9/24").secondary = true;
  EXPECT_EQ(kernel_source(true), "203.0.113.10");
  kernel::Route& added = route(2, "0.0.0.0/0", "192.0.2.1");
  EXPECT_EQ(kernel_source(true), "192.0.2.10") << "the router's subnet";
  added.preferred_source = addr("192.0.2.9");
  EXPECT_EQ(kernel_source(true), "192.0.2.9");
}

TEST_F(EntriesTest, KernelSourceIpv6) {
  link(2, "eth0");
  state.addresses.reserve(8);
  kernel::InterfaceAddress& deprecated = address(2, "2001:db8::1/64");
  deprecated.deprecated = true;
  EXPECT_EQ(kernel_source(false), "2001:db8::1");
  EXPECT_TRUE(entry(1).source_deprecated);
  address(2, "fd00::1/64");
  EXPECT_EQ(kernel_source(false), "fd00::1");
  kernel::InterfaceAddress& global = address(2, "2001:db8::2/64");
  EXPECT_EQ(kernel_source(false), "2001:db8::2");
  address(2, "2001:db8::3/64").temporary = true;
  EXPECT_EQ(kernel_source(false), "2001:db8::3");
  state.addresses.back().tentative = true;
  EXPECT_EQ(kernel_source(false), "2001:db8::2");
  global.deprecated = true;
  EXPECT_EQ(kernel_source(false), "fd00::1");
}

TEST_F(EntriesTest, OwnHoldsEveryAddressAndLocalRoutes) {
  link(2, "eth0").up = false;
  address(2, "192.0.2.10/24");
  address(2, "fe80::10/64");
  kernel::Route& local = device_route(1, "203.0.113.0/24");
  local.kind = kernel::RouteKind::kLocal;
  EXPECT_FALSE(contains(snapshot_of(state).own, addr("203.0.113.9"))) << "not the local table";
  local.table = RT_TABLE_LOCAL;
  EXPECT_EQ(text_of(snapshot_of(state).own),
            "::1-::1 127.0.0.0-127.255.255.255 192.0.2.10-192.0.2.10 203.0.113.0-203.0.113.255 "
            "fe80::10-fe80::10");
}

TEST_F(EntriesTest, OnLinkHoldsTheNetworksOfLinksThatAreUp) {
  EXPECT_EQ(text_of(snapshot_of(state).on_link),
            "169.254.0.0-169.254.255.255 224.0.0.0-224.0.0.255 255.255.255.255-255.255.255.255 "
            "fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
            "ff01::-ff02:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  link(2, "eth0");
  address(2, "192.0.2.10/24");
  route(2, "10.0.0.0/8", "192.0.2.1").protocol = RTPROT_KERNEL;
  device_route(2, "172.16.0.0/12").protocol = RTPROT_STATIC;
  device_route(2, "0.0.0.0/0").protocol = RTPROT_KERNEL;
  const auto on_link = [&](std::string_view text) {
    return contains(snapshot_of(state).on_link, addr(text));
  };
  EXPECT_TRUE(on_link("192.0.2.77"));
  EXPECT_FALSE(on_link("10.0.0.1"));
  EXPECT_FALSE(on_link("172.16.0.1"));
  EXPECT_FALSE(on_link("8.8.8.8"));
  state.links[1].up = false;
  EXPECT_FALSE(on_link("192.0.2.77"));
}

TEST_F(EntriesTest, SnapshotsCompareByEverythingTheySay) {
  two_interfaces();
  const Snapshot before = snapshot_of(state);
  EXPECT_EQ(before, snapshot_of(state));
  route(2, "203.0.113.0/24", "192.0.2.1");
  EXPECT_EQ(before, snapshot_of(state)) << "the default route reached it already";
  denying_route("203.0.113.0/25");
  EXPECT_FALSE(before == snapshot_of(state));
}

// Quadratic work on this many routes would take minutes.
TEST_F(EntriesTest, ManyRoutesAreNoTrouble) {
  two_interfaces();
  for (unsigned i = 0; i < 40000; ++i) {
    const std::string base = std::to_string(11 + i / 65536) + "." + std::to_string(i / 256 % 256) +
                             "." + std::to_string(i % 256);
    if (i % 4 == 0) {
      denying_route(base + ".0/24");
    } else {
      route(2 + i % 2, base + ".0/25", "192.0.2.1");
    }
  }
  const auto started = std::chrono::steady_clock::now();
  const Snapshot snapshot = snapshot_of(state);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10));
  EXPECT_FALSE(contains(snapshot.reach.at(snapshot.entries[0].reach), addr("11.0.4.1")));
  EXPECT_TRUE(contains(snapshot.reach.at(snapshot.entries[0].reach), addr("11.0.5.1")));
}

}  // namespace
}  // namespace px::broker
