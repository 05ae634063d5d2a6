// SPDX-License-Identifier: MIT
#include "broker/mptcp/connections.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

namespace px::broker {
namespace {

constexpr MptcpToken kToken = 7;
constexpr uid_t kUser = 1000;
constexpr std::size_t kMany = 1000;

bundle::Endpoint member(std::uint32_t address, std::uint32_t scope = 0) {
  return {bundle::ipv4_address(address), 80, scope};
}

const bundle::Endpoint kFirst = member(1);
const bundle::Endpoint kSecond = member(2);
const MptcpPeer kPeer{kFirst.address};
const MptcpPeer kOther{kSecond.address};

SubflowWish wish_of(uid_t user, std::vector<bundle::Endpoint> members) {
  return {user, "both", 0, std::move(members)};
}

SubflowWish both(uid_t user = kUser) {
  return wish_of(user, {kFirst, kSecond});
}

MptcpConnections one_connected() {
  MptcpConnections connections({4, 8});
  connections.want(kToken, both(), kPeer, 0);
  return connections;
}

TEST(MptcpConnections, OnlyTheOtherMembersAreTried) {
  auto connections = one_connected();
  const auto attempts = connections.due(0, kMany);
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].token, kToken);
  EXPECT_EQ(attempts[0].member.address, kOther.address);
  EXPECT_EQ(attempts[0].profile, "both");
  EXPECT_TRUE(connections.due(0, kMany).empty()) << "one attempt at a time";
  EXPECT_FALSE(connections.next_due());
}

TEST(MptcpConnections, OneThatIsOnItsWayWaits) {
  MptcpConnections connections({4, 8});
  connections.want(kToken, both(), std::nullopt, 0);
  EXPECT_TRUE(connections.due(1000, kMany).empty());
  connections.created(kToken, kPeer, 1000);
  auto attempts = connections.due(1000, kMany);
  ASSERT_EQ(attempts.size(), 1U);
  // Nothing was acknowledged yet: the kernel says so, and later that it is.
  connections.answered(attempts[0], ENOTCONN, 1000);
  EXPECT_TRUE(connections.due(2000, kMany).empty());
  connections.created(kToken, kPeer, 2000);
  EXPECT_EQ(connections.due(2000, kMany).size(), 1U);
}

TEST(MptcpConnections, WhatFailedIsTriedAgainEverMoreSeldom) {
  auto connections = one_connected();
  std::uint64_t now = 0;
  std::uint64_t pause = 1000;
  for (int i = 0; i < 8; ++i, pause *= 2) {
    ASSERT_EQ(connections.due(now, kMany).size(), 1U) << i;
    connections.subflow_down(kToken, kOther, now);
    EXPECT_EQ(connections.next_due(), now + pause);
    EXPECT_TRUE(connections.due(now + pause - 1, kMany).empty());
    now += pause;
  }
  ASSERT_EQ(connections.due(now, kMany).size(), 1U);
  connections.subflow_down(kToken, kOther, now);
  EXPECT_FALSE(connections.next_due()) << "given up";
}

TEST(MptcpConnections, OneThatWasUpBeginsAnew) {
  auto connections = one_connected();
  for (std::uint64_t now = 0; now < 4000;) {
    const auto attempts = connections.due(now, kMany);
    ASSERT_EQ(attempts.size(), 1U);
    connections.answered(attempts[0], ENETUNREACH, now);
    now = connections.next_due().value();
  }
  ASSERT_EQ(connections.due(100'000, kMany).size(), 1U);
  connections.subflow_up(kToken, kOther);
  connections.subflow_down(kToken, kOther, 200'000);
  EXPECT_EQ(connections.next_due(), 201'000U);
  // So does the one that the connection was made by.
  connections.subflow_down(kToken, kPeer, 200'000);
  EXPECT_EQ(connections.due(201'000, kMany).size(), 2U);
}

TEST(MptcpConnections, OfAConnectionThatIsGoneNothingIsTried) {
  auto connections = one_connected();
  const auto attempts = connections.due(0, kMany);
  ASSERT_EQ(attempts.size(), 1U);
  connections.answered(attempts[0], EINVAL, 0);
  EXPECT_EQ(connections.size(), 0U);
  connections.subflow_down(kToken, kOther, 0);
  connections.created(kToken, kPeer, 0);
  connections.answered(attempts[0], ENETUNREACH, 0);
  connections.has_no_egress(attempts[0]);
  EXPECT_FALSE(connections.next_due());
  connections = one_connected();
  connections.closed(kToken);
  EXPECT_EQ(connections.size(), 0U);
}

TEST(MptcpConnections, WhatIsAskedAgainIsNotBegunAgain) {
  auto connections = one_connected();
  EXPECT_EQ(connections.due(0, kMany).size(), 1U);
  for (int i = 0; i < 3; ++i) connections.want(kToken, both(), kPeer, 0);
  EXPECT_TRUE(connections.due(0, kMany).empty());
  connections.want(kToken + 1, wish_of(kUser, {kFirst, kSecond, kSecond, kSecond}), kPeer, 0);
  EXPECT_EQ(connections.due(0, kMany).size(), 1U) << "one a member";
}

TEST(MptcpConnections, WhoHasTooManyLosesTheOldest) {
  MptcpConnections connections({2, 3});
  connections.want(1, both(), kPeer, 0);
  connections.want(2, both(), kPeer, 0);
  connections.want(1, both(), kPeer, 0);  // does not make it younger
  connections.want(3, both(), kPeer, 0);
  EXPECT_EQ(connections.size(), 2U);
  EXPECT_EQ(connections.due(0, kMany).size(), 2U);
  connections.subflow_down(1, kOther, 0);
  EXPECT_FALSE(connections.next_due()) << "the first is forgotten";
  connections.want(4, both(kUser + 1), kPeer, 0);
  connections.want(5, both(kUser + 2), kPeer, 0);
  EXPECT_EQ(connections.size(), 3U);
  connections.subflow_down(2, kOther, 0);
  EXPECT_EQ(connections.due(0, kMany).size(), 2U) << "of who has most";
  connections.subflow_down(3, kOther, 0);
  EXPECT_TRUE(connections.next_due());
}

TEST(MptcpConnections, ThoseThatNobodyAnsweredDoNotStay) {
  MptcpConnections connections({4, 8});
  connections.want(1, both(), std::nullopt, 0);
  connections.want(2, both(), kPeer, 0);
  connections.want(3, both(), std::nullopt, 180'000);
  EXPECT_EQ(connections.size(), 2U);
}

TEST(MptcpConnections, ChangedPlansAreAReasonToTryAgain) {
  MptcpConnections connections({4, 8});
  connections.want(kToken, wish_of(kUser, {kFirst, kSecond, member(3), member(4)}), kPeer, 0);
  const auto attempts = connections.due(0, kMany);
  ASSERT_EQ(attempts.size(), 3U);
  connections.has_no_egress(attempts[0]);
  connections.answered(attempts[1], ENETUNREACH, 0);
  EXPECT_EQ(connections.next_due(), 1000U);
  connections.plans_changed(10);
  const auto again = connections.due(10, kMany);
  ASSERT_EQ(again.size(), 2U) << "not the one under way";
  connections.answered(again[1], ENETUNREACH, 10);
  EXPECT_EQ(connections.next_due(), 1010U) << "as if it had never failed";
}

TEST(MptcpConnections, OneAddressOnTwoInterfacesIsTwoMembers) {
  bundle::Address link_local{};
  link_local.bytes[0] = 0xfe;
  link_local.bytes[1] = 0x80;
  MptcpConnections connections({4, 8});
  connections.want(kToken, wish_of(kUser, {{link_local, 80, 2}, {link_local, 80, 3}}),
                   MptcpPeer{link_local, 2}, 0);
  const auto attempts = connections.due(0, kMany);
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].member.scope, 3U);
  connections.subflow_down(kToken, {link_local, 3}, 0);
  EXPECT_TRUE(connections.next_due());
}

TEST(MptcpConnections, AfterMissedEventsWhatMayBeGoneIsLetGo) {
  auto connections = one_connected();
  connections.want(kToken + 1, both(), kPeer, 0);
  ASSERT_EQ(connections.due(0, kMany).size(), 2U);
  connections.subflow_up(kToken, kOther);
  connections.missed_events(10);
  EXPECT_EQ(connections.size(), 1U);
  const auto attempts = connections.due(10, kMany);
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].token, kToken + 1);
}

TEST(MptcpConnections, OneSourceHasOneNumber) {
  auto connections = one_connected();
  const auto first = connections.local_id(kToken, bundle::ipv4_address(101));
  const auto second = connections.local_id(kToken, bundle::ipv4_address(102));
  EXPECT_NE(first, 0);
  EXPECT_NE(first, second);
  EXPECT_EQ(connections.local_id(kToken, bundle::ipv4_address(101)), first);
  for (std::uint32_t source = 0; source < 1000; ++source) {
    EXPECT_GE(connections.local_id(kToken, bundle::ipv4_address(source)), 128);
  }
}

TEST(MptcpConnections, SoManyAreTriedAtATimeTheEarliestFirst) {
  MptcpConnections connections({4, 8});
  std::vector<bundle::Endpoint> members{kFirst};
  for (std::uint32_t i = 2; i <= 6; ++i) members.push_back(member(i));
  connections.want(kToken, wish_of(kUser, members), kPeer, 10);
  connections.want(kToken + 1, wish_of(kUser, members), kPeer, 5);
  const auto first = connections.due(10, 4);
  ASSERT_EQ(first.size(), 4U);
  for (const auto& attempt : first) EXPECT_EQ(attempt.token, kToken + 1);
  EXPECT_EQ(connections.next_due(), 5U);
  EXPECT_EQ(connections.due(10, 4).size(), 4U);
  connections.closed(kToken);
  EXPECT_TRUE(connections.due(10, 4).empty()) << "the two that are left have ended";
  EXPECT_FALSE(connections.next_due());
}

}  // namespace
}  // namespace px::broker
