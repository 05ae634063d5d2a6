// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "broker/mptcp/connections.h"

namespace px::broker {
namespace {

constexpr MptcpToken kToken = 7;
constexpr uid_t kUser = 1000;

MemberWay system_way(std::uint32_t address) {
  return {{bundle::ipv4_address(address), 80, 0}, std::nullopt};
}

MemberWay way_by(std::uint32_t address, std::uint32_t source, std::uint32_t interface_index) {
  MemberWay way = system_way(address);
  way.entry.emplace();
  way.entry->source = bundle::ipv4_address(source);
  way.entry->interface_index = interface_index;
  return way;
}

const MemberWay kFirst = way_by(1, 101, 1);
const MemberWay kSecond = way_by(2, 102, 2);
const bundle::Address kPeer = kFirst.member.address;
const bundle::Address kOther = kSecond.member.address;

MptcpConnections one_connected() {
  MptcpConnections connections({4, 8});
  EXPECT_TRUE(connections.want(kToken, kUser, {kFirst, kSecond}, kPeer, 0));
  return connections;
}

TEST(MptcpConnections, OnlyTheOtherMembersAreTried) {
  auto connections = one_connected();
  const auto attempts = connections.due(0);
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].token, kToken);
  EXPECT_EQ(attempts[0].way.member.address, kOther);
  EXPECT_TRUE(connections.due(0).empty()) << "one attempt at a time";
  EXPECT_FALSE(connections.next_due());
}

TEST(MptcpConnections, OneThatIsOnItsWayWaits) {
  MptcpConnections connections({4, 8});
  ASSERT_TRUE(connections.want(kToken, kUser, {kFirst, kSecond}, std::nullopt, 0));
  EXPECT_TRUE(connections.due(1000).empty());
  connections.created(kToken, kPeer, 1000);
  auto attempts = connections.due(1000);
  ASSERT_EQ(attempts.size(), 1U);
  // Nothing was acknowledged yet: the kernel says so, and later that it is.
  connections.answered(attempts[0], ENOTCONN, 1000);
  EXPECT_TRUE(connections.due(2000).empty());
  connections.created(kToken, kPeer, 2000);
  EXPECT_EQ(connections.due(2000).size(), 1U);
}

TEST(MptcpConnections, WhatFailedIsTriedAgainEverMoreSeldom) {
  auto connections = one_connected();
  std::uint64_t now = 0;
  std::uint64_t pause = 1000;
  for (int i = 0; i < 8; ++i, pause *= 2) {
    ASSERT_EQ(connections.due(now).size(), 1U) << i;
    connections.subflow_down(kToken, kOther, now);
    EXPECT_EQ(connections.next_due(), now + pause);
    EXPECT_TRUE(connections.due(now + pause - 1).empty());
    now += pause;
  }
  ASSERT_EQ(connections.due(now).size(), 1U);
  connections.subflow_down(kToken, kOther, now);
  EXPECT_FALSE(connections.next_due()) << "given up";
}

TEST(MptcpConnections, OneThatWasUpBeginsAnew) {
  auto connections = one_connected();
  for (std::uint64_t now = 0; now < 4000;) {
    const auto attempts = connections.due(now);
    ASSERT_EQ(attempts.size(), 1U);
    connections.answered(attempts[0], ENETUNREACH, now);
    now = connections.next_due().value();
  }
  ASSERT_EQ(connections.due(100'000).size(), 1U);
  connections.subflow_up(kToken, kOther);
  connections.subflow_down(kToken, kOther, 200'000);
  EXPECT_EQ(connections.next_due(), 201'000U);
  // So does the one that the connection was made by.
  connections.subflow_down(kToken, kPeer, 200'000);
  EXPECT_EQ(connections.due(201'000).size(), 2U);
}

TEST(MptcpConnections, OfAConnectionThatIsGoneNothingIsTried) {
  auto connections = one_connected();
  const auto attempts = connections.due(0);
  ASSERT_EQ(attempts.size(), 1U);
  connections.answered(attempts[0], EINVAL, 0);
  EXPECT_FALSE(connections.next_due());
  connections.closed(kToken);
  EXPECT_EQ(connections.size(), 0U);
  connections.subflow_down(kToken, kOther, 0);
  connections.created(kToken, kPeer, 0);
  connections.answered(attempts[0], ENETUNREACH, 0);
  EXPECT_FALSE(connections.next_due());
}

TEST(MptcpConnections, WhoHasTooManyIsRefused) {
  MptcpConnections connections({2, 3});
  EXPECT_TRUE(connections.want(1, kUser, {kFirst}, std::nullopt, 0));
  EXPECT_TRUE(connections.want(2, kUser, {kFirst}, std::nullopt, 0));
  EXPECT_FALSE(connections.want(3, kUser, {kFirst}, std::nullopt, 0));
  EXPECT_TRUE(connections.want(2, kUser, {kFirst}, std::nullopt, 0)) << "again, not one more";
  EXPECT_TRUE(connections.want(4, kUser + 1, {kFirst}, std::nullopt, 0));
  EXPECT_FALSE(connections.want(5, kUser + 2, {kFirst}, std::nullopt, 0));
  // Those that nobody answered do not stay for ever.
  EXPECT_TRUE(connections.want(3, kUser, {kFirst}, std::nullopt, 180'000));
  EXPECT_EQ(connections.size(), 1U);
}

TEST(MptcpConnections, AfterMissedEventsWhatMayBeGoneIsLetGo) {
  auto connections = one_connected();
  ASSERT_TRUE(connections.want(kToken + 1, kUser, {kFirst, kSecond}, kPeer, 0));
  ASSERT_EQ(connections.due(0).size(), 2U);
  connections.subflow_up(kToken, kOther);
  connections.missed_events(10);
  EXPECT_EQ(connections.size(), 1U);
  const auto attempts = connections.due(10);
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].token, kToken + 1);
}

// The kernel takes one number for one source.
TEST(MptcpConnections, WaysWithOneSourceHaveOneNumber) {
  MptcpConnections connections({4, 8});
  const MemberWay third = way_by(3, 102, 2);
  const MemberWay elsewhere = way_by(4, 102, 3);
  ASSERT_TRUE(connections.want(
      kToken, kUser, {kFirst, kSecond, third, elsewhere, system_way(5), system_way(6)}, kPeer, 0));
  const auto attempts = connections.due(0);
  ASSERT_EQ(attempts.size(), 5U);
  EXPECT_EQ(attempts[0].local_id, attempts[1].local_id);
  EXPECT_EQ(attempts[3].local_id, attempts[4].local_id);
  EXPECT_NE(attempts[1].local_id, attempts[2].local_id);
  EXPECT_NE(attempts[2].local_id, attempts[3].local_id);
  EXPECT_TRUE(std::ranges::all_of(attempts, [](const auto& one) { return one.local_id != 0; }));
}

}  // namespace
}  // namespace px::broker
