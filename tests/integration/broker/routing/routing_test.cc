// SPDX-License-Identifier: MIT
#include "broker/routing/routing.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <csignal>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <string_view>

#include "broker/routing/nft_table.h"
#include "tests/integration/broker/routing/routing_fixture.h"

namespace px::broker {
namespace {

TEST_F(RoutingTest, AMarkTakesItsTable) {
  EXPECT_EQ(source_of(0, kFar), kEth0);
  const auto mark = put(through_eth1()).at("eth1 198.51.100.1");
  EXPECT_EQ(source_of(mark, kFar), kEth1);
  EXPECT_EQ(source_of(mark, kFar6), kNoRoute) << "the table has no route of this family";
  EXPECT_EQ(source_of(0, kFar), kEth0) << "nobody else is touched";
}

TEST_F(RoutingTest, ANextHopOfEachFamily) {
  RoutingDemand demand = through_eth1();
  demand.tables[0].ipv6 = TableRoute{index("eth0"), addr("2001:db8::254"), false};
  const auto mark = put(demand).begin()->second;
  EXPECT_EQ(source_of(mark, kFar6), "2001:db8::10");
  demand.tables[0].ipv6 = TableRoute{index("eth0"), addr("fe80::1"), false};
  demand.tables[0].ipv4 = TableRoute{index("eth1"), addr("203.0.113.1"), false};
  EXPECT_EQ(put(demand).begin()->second, mark) << "the key is the same";
  EXPECT_EQ(source_of(mark, kFar6), "2001:db8::10");
  EXPECT_EQ(source_of(mark, kFar), kEth1) << "a next hop that is no neighbour";
  demand.tables[0].ipv4 = TableRoute{index("eth1"), std::nullopt, false};
  demand.tables[0].ipv6 = TableRoute{index("eth0"), std::nullopt, false};
  put(demand);
  EXPECT_EQ(source_of(mark, kFar), kEth1) << "without a next hop";
  EXPECT_EQ(in_kernel().routes.size(), 4U) << "nothing of the routes before is left";
}

TEST_F(RoutingTest, AFlushedTableIsUnreachable) {
  const auto mark = put(through_eth1()).begin()->second;
  ip("route flush table " + std::to_string(kOwnTableBase + 1));
  EXPECT_EQ(source_of(mark, kFar), kNoRoute);
  EXPECT_EQ(source_of(mark, kFar6), kNoRoute);
  EXPECT_EQ(source_of(0x42000000, kFar), kNoRoute) << "a mark that is none of those given";
  EXPECT_EQ(source_of(0x42, kFar), kEth0) << "a mark that is not px's";
  put(through_eth1());
  EXPECT_EQ(source_of(mark, kFar), kEth1) << "and comes back";
}

TEST_F(RoutingTest, ALinkThatIsDownIsUnreachableAndComesBack) {
  const auto mark = put(through_eth1()).begin()->second;
  ip("link set eth1 down");
  EXPECT_EQ(source_of(mark, kFar), kNoRoute);
  put(through_eth1());
  EXPECT_EQ(source_of(mark, kFar), kNoRoute);
  ip("link set eth1 up");
  EXPECT_EQ(put(through_eth1()).begin()->second, mark);
  EXPECT_EQ(source_of(mark, kFar), kEth1);
}

TEST_F(RoutingTest, WhatIsNotWantedAnyMoreGoesAfterThePublication) {
  const auto mark = put(through_eth1()).begin()->second;
  const auto before = in_kernel();
  RoutingDemand other{{{"eth0", TableRoute{index("eth0"), addr("192.0.2.254"), false}, {}}}, {}};
  const auto marks = routing_->prepare(other, kMask);
  ASSERT_TRUE(marks);
  EXPECT_NE(marks->at("eth0"), mark);
  EXPECT_EQ(source_of(mark, kFar), kEth1) << "the plan in force still names it";
  ASSERT_TRUE(routing_->retire());
  EXPECT_EQ(source_of(mark, kFar), kNoRoute) << "an old socket does not take another route";
  EXPECT_EQ(source_of(marks->at("eth0"), kFar), kEth0);
  put({});
  EXPECT_TRUE(in_kernel().empty());
  EXPECT_NE(before, in_kernel());
}

// Where such packets go only a kernel with SCTP can say: tests/uml/test_uplinks.py.
TEST_F(RoutingTest, RulesOfPortsComeBackAndGo) {
  const Egress by_eth1{"eth1", addr(kEth1), std::nullopt};
  const Egress by_router{"eth0", addr("2001:db8::10"), addr("2001:db8::254")};
  RoutingDemand demand;
  demand.ports = {{5000, std::nullopt, std::nullopt, true},
                  {5000, addr("198.51.100.80"), by_eth1},
                  {5000, addr("203.0.113.81"), std::nullopt},
                  {5000, addr(kFar6), by_router}};
  put(demand);
  const auto whole = in_kernel();
  EXPECT_EQ(whole, routing_->wanted(netlink::read_kernel_state().value()));
  EXPECT_EQ(whole.rules.size(), 7U) << "the one of all others, and the last, in both families";
  EXPECT_EQ(source_of(0, "198.51.100.80"), kEth1) << "nobody else is touched";
  ip("link set eth1 down");
  EXPECT_EQ(in_kernel().routes.size(), whole.routes.size() - 1) << "the guard stays";
  ASSERT_TRUE(routing_->mend()) << "no route there now";
  ip("link set eth1 up");
  ASSERT_TRUE(routing_->mend());
  EXPECT_EQ(in_kernel(), whole);
  put({});
  EXPECT_TRUE(in_kernel().empty());
}

TEST_F(RoutingTest, AnAbandonedDemandLeavesTheOneInForce) {
  put(through_eth1());
  const auto before = in_kernel();
  RoutingDemand other{{{"other", TableRoute{index("eth0"), addr("192.0.2.254"), true}, {}}}, {}};
  ASSERT_TRUE(routing_->prepare(other, kMask));
  EXPECT_NE(in_kernel(), before);
  routing_->abandon();
  EXPECT_EQ(in_kernel(), before);
  EXPECT_EQ(routing_->demand(), through_eth1());
}

TEST_F(RoutingTest, MoreTablesThanMarksAreRefusedAndChangeNothing) {
  put(through_eth1(), 0x3);
  const auto before = in_kernel();
  RoutingDemand many = through_eth1();
  for (const char* key : {"a", "b", "c"}) many.tables.push_back({key, {}, {}});
  EXPECT_FALSE(routing_->prepare(many, 0x3));
  EXPECT_EQ(in_kernel(), before);
}

// A broker in a child that is killed when all is in place.
void be_killed_after(const std::filesystem::path& directory, const RoutingDemand& demand) {
  const pid_t child = fork();
  if (child == 0) {
    auto routing = Routing::open(directory, true);
    if (routing && routing->prepare(demand, kMask) && routing->retire()) raise(SIGKILL);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
}

TEST_F(RoutingTest, GoesOnWhereAKilledBrokerStopped) {
  RoutingDemand both = through_eth1();
  both.tables.push_back({"eth0", TableRoute{index("eth0"), addr("192.0.2.254"), false}, {}});
  be_killed_after(directory_, both);
  EXPECT_EQ(source_of(0x01000000, kFar), kEth0);
  EXPECT_EQ(source_of(0x02000000, kFar), kEth1) << "still in force while nobody manages it";
  open();
  EXPECT_EQ(put(through_eth1()), (Marks{{"eth1 198.51.100.1", 0x02000000}}));
  EXPECT_EQ(source_of(0x02000000, kFar), kEth1);
  EXPECT_EQ(source_of(0x01000000, kFar), kNoRoute);
}

TEST_F(RoutingTest, TellsOfThePortsOfAKilledBroker) {
  RoutingDemand demand;
  demand.ports = {{5000, addr(kFar), Egress{"eth1", addr(kEth1), std::nullopt}}};
  be_killed_after(directory_, demand);
  open();
  EXPECT_EQ(routing_->ports_left().value(), demand.ports);
  const auto before = in_kernel();
  put(demand);
  EXPECT_EQ(in_kernel(), before);
  open(false);
  EXPECT_TRUE(routing_->ports_left()->empty()) << "not a private broker's";
}

TEST_F(RoutingTest, RemovesWhatAKilledBrokerLeft) {
  be_killed_after(directory_, through_eth1());
  EXPECT_FALSE(in_kernel().empty());
  open();
  put({});
  EXPECT_TRUE(in_kernel().empty());
}

TEST_F(RoutingTest, AnExitLeavesNothingButForeignRulesAndTables) {
  ip("rule add fwmark 0x5 lookup 77 priority 5000");
  ip("route add default via 192.0.2.9 dev eth0 table 77");
  ip("route add 10.0.0.0/8 via 192.0.2.9 dev eth0 table " + std::to_string(kOwnTableBase + 1));
  const auto foreign = [] {
    const auto state = netlink::read_kernel_state().value();
    return std::pair(without_own_routing(state).rules.size(),
                     without_own_routing(state).routes.size());
  };
  const auto before = foreign();
  RoutingDemand demand = through_eth1();
  demand.received = {{index("eth1"), demand.tables[0].key}};
  put(demand);
  EXPECT_FALSE(list_nft_table().value().empty());
  EXPECT_EQ(foreign(), before);
  ASSERT_TRUE(routing_->remove_all());
  EXPECT_TRUE(in_kernel().empty());
  EXPECT_EQ(list_nft_table().value(), "");
  EXPECT_EQ(foreign(), before);
}

TEST_F(RoutingTest, OneBrokerANetworkNamespace) {
  put(through_eth1());
  const auto before = in_kernel();
  auto second = Routing::open(directory_ / "none", true);
  ASSERT_TRUE(second);
  const auto available = second->available();
  ASSERT_FALSE(available);
  EXPECT_NE(available.error().message.find("another broker"), std::string::npos)
      << available.error().message;
  EXPECT_FALSE(second->prepare(through_eth1(), kMask));
  EXPECT_TRUE(second->prepare({}, kMask)) << "who needs none is not kept from anything";
  EXPECT_TRUE(second->retire());
  EXPECT_EQ(in_kernel(), before);
  ASSERT_TRUE(routing_->remove_all());
  EXPECT_TRUE(second->available());
}

TEST_F(RoutingTest, WhatAnyUserMayHoldKeepsNoBrokerFromIt) {
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{AF_UNIX, {}};
  constexpr std::string_view kName("\0px-routing", 11);
  std::memcpy(address.sun_path, kName.data(), kName.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + kName.size());
  ASSERT_EQ(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(socket.get(), 1), 0);
  put(through_eth1());
  EXPECT_FALSE(in_kernel().empty());
}

TEST_F(RoutingTest, NobodyTakesTheClaimAwayAndItEndsWithItsHolder) {
  put(through_eth1());
  EXPECT_FALSE(test::run_program("nft delete table inet px-claim"));
  ASSERT_TRUE(test::run_program("nft flush ruleset"));
  EXPECT_TRUE(has_nft_table("inet px-claim"));
  routing_.reset();
  EXPECT_FALSE(has_nft_table("inet px-claim"));
}

TEST_F(RoutingTest, APrivateBrokerLeavesAloneWhatAnotherLeft) {
  be_killed_after(directory_, through_eth1());
  const auto before = in_kernel();
  open(false);
  EXPECT_FALSE(routing_->prepare(through_eth1(), kMask));
  put({});
  EXPECT_EQ(in_kernel(), before);
}

TEST_F(RoutingTest, TheReplyTableFollowsTheDemand) {
  RoutingDemand demand = through_eth1();
  demand.received = {{index("eth1"), demand.tables[0].key}};
  put(demand);
  EXPECT_NE(list_nft_table().value().find("iif \"eth1\""), std::string::npos);
  ASSERT_TRUE(test::run_program("nft flush ruleset"));
  put(demand);
  EXPECT_NE(list_nft_table().value().find("iif \"eth1\""), std::string::npos) << "comes back";
  put(through_eth1());
  EXPECT_EQ(list_nft_table().value(), "");
}

TEST_F(RoutingTest, AMarkFileThatIsNoneIsNamed) {
  std::ofstream(directory_ / kMarksFile) << "what?\n";
  const auto opened = Routing::open(directory_, true);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find((directory_ / kMarksFile).string()), std::string::npos);
}

TEST_F(RoutingTest, MarksInternetSocketsOfThisNamespaceOnly) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const std::uint64_t here = cookie_of(socket.get());
  std::uint32_t mark = 0x80000012;
  ASSERT_EQ(setsockopt(socket.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark), 0);
  ASSERT_TRUE(set_socket_mark(socket.get(), 0x03000000, kMask, here));
  socklen_t length = sizeof mark;
  getsockopt(socket.get(), SOL_SOCKET, SO_MARK, &mark, &length);
  EXPECT_EQ(mark, 0x03000012U) << "bits outside the mask are the program's";
  ASSERT_TRUE(set_socket_mark(socket.get(), 0, kMask, here));
  getsockopt(socket.get(), SOL_SOCKET, SO_MARK, &mark, &length);
  EXPECT_EQ(mark, 0x12U);
  EXPECT_FALSE(set_socket_mark(socket.get(), 0x03000000, kMask, here + 1));
  const Fd local(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_FALSE(set_socket_mark(local.get(), 0x03000000, kMask, here));
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(set_socket_mark(null.get(), 0x03000000, kMask, here));
}

}  // namespace
}  // namespace px::broker
