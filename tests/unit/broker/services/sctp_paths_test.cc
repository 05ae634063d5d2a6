// SPDX-License-Identifier: MIT
#include "broker/services/sctp_paths.h"

#include <gmock/gmock.h>

namespace px::broker {
namespace {

using testing::ElementsAre;

Address address_of(const std::string& text) {
  return *bundle::address_from_text(text);
}

bundle::Endpoint member_of(const std::string& text) {
  return {address_of(text), 3000, 0};
}

// eth0 and eth1, each with a router, and what a plan says of a member that goes by each.
struct TwoInterfaces {
  Snapshot snapshot;

  MemberEgress by(const std::string& interface, const std::string& source,
                  const std::string& member, bool own_source = true) {
    Entry entry;
    entry.number = static_cast<std::uint32_t>(snapshot.entries.size() + 1);
    entry.interface = interface;
    entry.interface_index = entry.number + 10;
    entry.source = address_of(source);
    entry.next_hop = address_of(entry.source.is_ipv4() ? "192.0.2.1" : "fe80::1");
    entry.own_source = own_source;
    snapshot.entries.push_back(entry);
    plan::Entry planned{};
    planned.number = entry.number;
    planned.interface_index = entry.interface_index;
    planned.source = entry.source;
    planned.mark = 1;  // so that the kernel is not asked for the router
    return {member_of(member), planned};
  }
};

TEST(SctpPaths, EachMemberHasTheSourceAndTheEgressThatThePlanMeans) {
  TwoInterfaces host;
  const std::vector<MemberEgress> members{host.by("eth0", "192.0.2.5", "203.0.113.1"),
                                          host.by("eth1", "198.51.100.5", "203.0.113.2")};
  const auto paths = sctp_paths(members, host.snapshot);
  ASSERT_TRUE(paths);
  ASSERT_EQ(paths->size(), 2u);
  const Egress eth0{"eth0", address_of("192.0.2.5"), address_of("192.0.2.1")};
  const Egress eth1{"eth1", address_of("198.51.100.5"), address_of("192.0.2.1")};
  EXPECT_EQ((*paths)[0].source.address, eth0.source);
  EXPECT_EQ((*paths)[0].egress, eth0);
  EXPECT_EQ((*paths)[1].egress, eth1);
  EXPECT_THAT(port_routes(1234, *paths),
              ElementsAre(PortRoute{1234, std::nullopt, std::nullopt, true},
                          PortRoute{1234, address_of("203.0.113.1"), eth0},
                          PortRoute{1234, address_of("203.0.113.2"), eth1}));
}

TEST(SctpPaths, AnEntryThatTheHostHasNoMoreIsNotGuessed) {
  TwoInterfaces host;
  const auto member = host.by("eth0", "192.0.2.5", "203.0.113.1");
  host.snapshot.entries[0].source = address_of("192.0.2.6");
  const auto paths = sctp_paths({member}, host.snapshot);
  ASSERT_FALSE(paths);
  EXPECT_EQ(paths.error().message, "the paths have just changed");
}

TEST(SctpPaths, OverIpv6ASourceIsOfItsOwnInterface) {
  TwoInterfaces host;
  const auto paths =
      sctp_paths({host.by("eth0", "2001:db8::5", "2001:db8:1::1", false)}, host.snapshot);
  ASSERT_FALSE(paths);
  EXPECT_EQ(paths.error().message, "over IPv6 a route cannot have the source of another interface");
}

TEST(SctpPaths, WhatIsAllUnsteeredNeedsNoRoutes) {
  const auto paths = sctp_paths({{member_of("127.0.0.1"), std::nullopt}}, {});
  ASSERT_FALSE(paths);
  EXPECT_EQ(paths.error().message, "all of them go as the host routes them");
}

TEST(SctpPaths, NoSourceIsLeftOutByTheKernel) {
  TwoInterfaces host;
  const auto from_private = host.by("eth0", "10.0.0.5", "203.0.113.1");
  const auto from_global = host.by("eth1", "198.51.100.5", "203.0.113.2");
  const auto paths = sctp_paths({from_private, from_global}, host.snapshot);
  ASSERT_FALSE(paths);
  EXPECT_EQ(paths.error().message,
            "an association to these members would leave out some of its own addresses");
  TwoInterfaces other;
  EXPECT_TRUE(sctp_paths(
      {other.by("eth0", "10.0.0.5", "10.0.0.1"), other.by("eth1", "198.51.100.5", "10.1.0.1")},
      other.snapshot))
      << "a private member is offered sources of every reach";
}

}  // namespace
}  // namespace px::broker
