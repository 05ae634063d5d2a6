// SPDX-License-Identifier: MIT
// What is said to nft; that it does what it should, tests/integration and tests/e2e see in the
// kernel.
#include "broker/routing/nft_table.h"

#include <gmock/gmock.h>

#include "tests/unit/broker/routing/mark_mask.h"

namespace px::broker {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kRemoval[] = "add table inet px\ndelete table inet px\n";

bundle::Address address(std::string_view text) {
  return bundle::address_from_text(text).value();
}

std::string commands(const RoutingDemand& demand, const Marks& marks) {
  return nft_table_commands(demand, marks, kMask);
}

TEST(NftTable, GoesWhereNothingNeedsIt) {
  EXPECT_FALSE(needs_nft_table({}));
  EXPECT_EQ(commands({}, {}), kRemoval);
}

TEST(NftTable, RejectsWhatHasAMarkAndLeavesAnotherWay) {
  RoutingDemand demand;
  demand.tables.push_back({"via eth1 192.0.2.2", TableRoute{3, address("192.0.2.2"), false}, {}});
  EXPECT_TRUE(needs_nft_table(demand));
  const std::string text = commands(demand, {{"via eth1 192.0.2.2", 0x01000000}});
  EXPECT_THAT(text, testing::StartsWith(kRemoval));
  EXPECT_THAT(text, HasSubstr("meta nfproto ipv4 meta mark & 0xff000000 == 0x01000000 oifname != "
                              "\"lo\" rt ip nexthop != 192.0.2.2 reject"));
  EXPECT_THAT(text, HasSubstr("oif != 3 reject"));
  EXPECT_THAT(text, HasSubstr("meta nfproto ipv6 meta mark & 0xff000000 == 0x01000000 oifname != "
                              "\"lo\" reject"));
  EXPECT_THAT(text, Not(HasSubstr("prerouting")));
}

TEST(NftTable, RejectsAllThatHasTheMarkOfARouterThatIsGone) {
  RoutingDemand demand;
  demand.tables.push_back({"via eth1 192.0.2.2", {}, {}});
  const std::string text = commands(demand, {{"via eth1 192.0.2.2", 0x01000000}});
  EXPECT_THAT(text, Not(HasSubstr("nexthop")));
  EXPECT_THAT(text, HasSubstr("meta nfproto ipv4 meta mark & 0xff000000 == 0x01000000 oifname != "
                              "\"lo\" reject"));
}

TEST(NftTable, LeavesNeighboursOfServersAlone) {
  RoutingDemand demand;
  demand.tables.push_back({"listen web", TableRoute{3, address("192.0.2.1"), true}, {}});
  EXPECT_FALSE(needs_nft_table(demand));
}

TEST(NftTable, HasAnswersLeaveByTheInterfaceOfTheCall) {
  RoutingDemand demand;
  demand.tables.push_back({"received eth1", TableRoute{3, address("192.0.2.1"), true}, {}});
  demand.received = {{3, "received eth1"}};
  const std::string text =
      commands(demand, {{"received eth1", 0x01000000}, {kReceivedKey, 0x02000000}});
  EXPECT_THAT(text, HasSubstr("socket mark & 0xff000000 == 0x02000000 iif 3 ct mark set ct mark & "
                              "0x00ffffff | 0x01000000"));
  EXPECT_THAT(text, HasSubstr("ct direction reply ct mark & 0xff000000 == 0x01000000 meta mark set "
                              "meta mark & 0x00ffffff | 0x01000000"));
  EXPECT_THAT(text, Not(HasSubstr("reject")));
}

}  // namespace
}  // namespace px::broker
