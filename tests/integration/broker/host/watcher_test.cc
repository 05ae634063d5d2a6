// SPDX-License-Identifier: MIT
#include "broker/host/watcher.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

#include "tests/integration/broker/host/watcher_fixture.h"

namespace px::broker {
namespace {

TEST_F(WatcherTest, StartsWithTheFullCrossProduct) {
  ip("route add default via 192.0.2.2 dev eth0 metric 300");
  ip("route add default via 198.51.100.2 dev eth1 metric 400");
  start();
  EXPECT_EQ(now_.entries.size(), 8U) << describe();
  EXPECT_TRUE(
      comes([&] { return usable("eth0", "192.0.2.10") && usable("eth1", "198.51.100.10"); }));
  EXPECT_TRUE(contains(now_.own, addr("192.0.2.10")));
  EXPECT_TRUE(contains(now_.own, addr("127.0.0.53")));
  EXPECT_TRUE(contains(now_.on_link, addr("192.0.2.77")));
  EXPECT_FALSE(contains(now_.on_link, addr("203.0.113.1")));
}

TEST_F(WatcherTest, FollowsALinkDownAndUp) {
  start_and_settle();
  ip("link set eth0 down");
  EXPECT_TRUE(comes([&] { return !usable("eth0", "192.0.2.10"); }));
  EXPECT_TRUE(comes([&] { return !contains(now_.on_link, addr("192.0.2.77")); }));
  EXPECT_TRUE(usable("eth1", "198.51.100.10"));
  ip("link set eth0 up");
  ip("route add default via 192.0.2.1 dev eth0 metric 100");
  EXPECT_TRUE(comes([&] {
    return usable("eth0", "192.0.2.10") && reaches("eth0", "192.0.2.10", "203.0.113.1");
  }));
}

TEST_F(WatcherTest, TellsOfWhatMovesWithoutADifferenceToTheSnapshot) {
  int disturbed = 0;
  WatcherOptions options;
  options.disturbed = [&] { ++disturbed; };
  start(options);
  settle();
  const int changes = changes_;
  disturbed = 0;
  ip("rule add fwmark 0x1000000/0xff000000 lookup 1886912513 protocol 112");
  EXPECT_TRUE(comes([&] { return disturbed == 1; }));
  ip("route add default via 192.0.2.7 dev eth0 table 1886912513 protocol 112");
  settle();
  EXPECT_EQ(disturbed, 1) << "routes alone are others' to flush";
  EXPECT_EQ(changes_, changes) << "px's own rules and routes are no part of it";
}

TEST_F(WatcherTest, FollowsALostCarrier) {
  start_and_settle();
  ip("link set eth0-peer down");
  EXPECT_TRUE(comes([&] { return !usable("eth0", "192.0.2.10"); }));
  ASSERT_NE(default_entry("eth0", "192.0.2.10"), nullptr) << describe();
  EXPECT_EQ(why_unusable(*default_entry("eth0", "192.0.2.10")), "link down");
  ip("link set eth0-peer up");
  EXPECT_TRUE(comes([&] { return usable("eth0", "192.0.2.10"); }));
}

TEST_F(WatcherTest, FollowsAddressesAndRoutes) {
  start_and_settle();
  ip("address add 192.0.2.11/24 dev eth0");
  EXPECT_TRUE(comes([&] { return usable("eth0", "192.0.2.11"); }));
  ip("address del 192.0.2.11/24 dev eth0");
  EXPECT_TRUE(comes([&] { return default_entry("eth0", "192.0.2.11") == nullptr; }));
  ip("route add default via 192.0.2.2 dev eth0 metric 300");
  EXPECT_TRUE(comes([&] { return has_next_hop("eth0", "192.0.2.2"); }));
  ip("route del default via 192.0.2.2 dev eth0");
  EXPECT_TRUE(comes([&] { return !has_next_hop("eth0", "192.0.2.2"); }));
  ip("route del default dev eth1");
  EXPECT_TRUE(comes([&] { return !reaches("eth1", "198.51.100.10", "203.0.113.1"); }));
  EXPECT_TRUE(reaches("eth1", "198.51.100.10", "198.51.100.77"));
  ip("route add unreachable 203.0.113.0/24");
  EXPECT_TRUE(comes([&] { return !reaches("eth0", "192.0.2.10", "203.0.113.1"); }));
  EXPECT_TRUE(reaches("eth0", "192.0.2.10", "203.0.114.1"));
}

// Without carrier, duplicate detection cannot begin: tentative until the other end comes up.
TEST_F(WatcherTest, FollowsAnIpv6AddressFromTentativeToValid) {
  ip("link set eth0-peer down");
  start();
  EXPECT_TRUE(comes([&] { return !usable("eth0", "192.0.2.10"); }));
  ip("address add 2001:db8::10/64 dev eth0");
  ip("route add default via fe80::1 dev eth0");
  EXPECT_TRUE(comes([&] { return default_entry("eth0", "2001:db8::10") != nullptr; }));
  ASSERT_FALSE(HasFailure());
  EXPECT_FALSE(default_entry("eth0", "2001:db8::10")->source_valid);
  ip("link set eth0-peer up");
  EXPECT_TRUE(comes([&] { return usable("eth0", "2001:db8::10"); }));
  EXPECT_TRUE(comes([&] { return reaches("eth0", "2001:db8::10", "2001:db8:ffff::1"); }));
}

TEST_F(WatcherTest, FollowsRulesAsWgQuickMakesThem) {
  add_link("wg0");
  ip("address add 10.8.0.2/32 dev wg0");
  start();
  EXPECT_FALSE(reaches("wg0", "10.8.0.2", "203.0.113.1"));
  ip("route add default dev wg0 table 51820");
  ip("rule add not fwmark 0xca6c lookup 51820");
  ip("rule add lookup main suppress_prefixlength 0");
  EXPECT_TRUE(comes([&] { return reaches("wg0", "10.8.0.2", "203.0.113.1"); }));
  EXPECT_TRUE(reaches("eth0", "192.0.2.10", "203.0.113.1"));
  ip("route add unreachable default metric 1000 table 51820");
  EXPECT_TRUE(comes([&] { return !reaches("eth0", "192.0.2.10", "203.0.113.1"); }));
  EXPECT_TRUE(reaches("wg0", "10.8.0.2", "203.0.113.1"));
  ip("rule del not fwmark 0xca6c lookup 51820");
  EXPECT_TRUE(comes([&] { return reaches("eth0", "192.0.2.10", "203.0.113.1"); }));
  EXPECT_FALSE(reaches("wg0", "10.8.0.2", "203.0.113.1"));
}

TEST_F(WatcherTest, FollowsTablesBySource) {
  ip("route del default dev eth1");
  start();
  EXPECT_FALSE(reaches("eth1", "198.51.100.10", "203.0.113.1"));
  ip("route add default via 198.51.100.1 dev eth1 table 101");
  ip("rule add from 198.51.100.10 lookup 101");
  EXPECT_TRUE(comes([&] { return reaches("eth1", "198.51.100.10", "203.0.113.1"); }));
}

TEST_F(WatcherTest, ReadsMultipathOtherFamilyRoutersAndNextHopObjects) {
  start();
  ip("route add 10.1.0.0/16 nexthop via 192.0.2.3 dev eth0 nexthop via 198.51.100.3 dev eth1");
  EXPECT_TRUE(comes(
      [&] { return has_next_hop("eth0", "192.0.2.3") && has_next_hop("eth1", "198.51.100.3"); }));
  ip("route add 10.2.0.0/16 via inet6 fe80::99 dev eth0");
  EXPECT_TRUE(comes([&] { return has_next_hop("eth0", "fe80::99"); }));
  ip("nexthop add id 7 via 192.0.2.4 dev eth0");
  ip("route add 10.3.0.0/16 nhid 7");
  EXPECT_TRUE(comes([&] { return has_next_hop("eth0", "192.0.2.4"); }));
  ip("address add 2001:db8::10/64 dev eth0 nodad");
  ip("route add 2001:db8:1::/48 nexthop via fe80::5 dev eth0 nexthop via fe80::6 dev eth0");
  EXPECT_TRUE(
      comes([&] { return has_next_hop("eth0", "fe80::5") && has_next_hop("eth0", "fe80::6"); }));
}

TEST_F(WatcherTest, SaysNothingWhenNothingDiffers) {
  start_and_settle();
  const int before = changes_;
  ip("link set eth0 mtu 1400");
  ASSERT_EQ(context_.run_one_for(kDeadline), 1U);
  EXPECT_EQ(changes_, before);
}

TEST_F(WatcherTest, RefreshSeesChangesBeforeTheirEvents) {
  start_and_settle();
  const int before = changes_;
  ip("route add default via 192.0.2.2 dev eth0 metric 300");
  auto fresh = watcher_->refresh();
  ASSERT_TRUE(fresh) << fresh.error().message;
  now_ = std::move(*fresh);
  EXPECT_TRUE(has_next_hop("eth0", "192.0.2.2"));
  settle();
  EXPECT_EQ(changes_, before);
}

TEST_F(WatcherTest, MayGoAwayWhileEventsWait) {
  start_and_settle();
  const int before = changes_;
  ip("link set eth0 down");
  watcher_.reset();
  context_.run_for(kDeadline);
  EXPECT_TRUE(context_.stopped()) << "something of the watcher still waits";
  EXPECT_EQ(changes_, before);
}

// How many messages the kernel could not deliver to this namespace's netlink sockets.
unsigned long dropped_events() {
  std::ifstream table("/proc/self/net/netlink");
  unsigned long total = 0;
  std::string line;
  std::getline(table, line);
  while (std::getline(table, line)) {
    unsigned long drops = 0;
    if (std::sscanf(line.c_str(), "%*s %*s %*s %*s %*s %*s %*s %*s %lu", &drops) == 1) {
      total += drops;
    }
  }
  return total;
}

// The lines of one `ip -batch`: 5,000 routes added, or all but one deleted.
class Flood {
 public:
  explicit Flood(bool add) {
    std::snprintf(path_, sizeof path_, "/tmp/px-flood-%d-%s", ::getpid(), add ? "add" : "del");
    std::ofstream batch(path_);
    for (int i = 0; i < kRoutes; ++i) {
      if (!add && i == kKept) continue;
      batch << "route " << (add ? "add" : "del") << " 10." << i / 250 << "." << i % 250
            << ".0/24 via 192.0.2.1 dev eth0\n";
    }
  }
  ~Flood() { ::unlink(path_); }
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;

  [[nodiscard]] std::string command() const { return std::string("ip -batch ") + path_; }

  static constexpr int kRoutes = 5000;
  static constexpr int kKept = 777;  // 10.3.27.0/24

 private:
  char path_[64];
};

TEST_F(WatcherTest, IsRightAfterAFloodThatLosesEvents) {
  ip("route del default dev eth0");
  start({.receive_buffer = 1});
  const Flood adding(true);
  ASSERT_TRUE(test::run_program(adding.command()));
  EXPECT_GT(dropped_events(), 0U) << "the flood was too small to lose anything";
  EXPECT_TRUE(comes([&] {
    return reaches("eth0", "192.0.2.10", "10.0.0.1") &&
           reaches("eth0", "192.0.2.10", "10.19.249.1");
  }));
  EXPECT_TRUE(reaches("eth0", "192.0.2.10", "10.3.27.1"));

  const Flood deleting(false);
  const pid_t pid = test::start_program(deleting.command());
  ASSERT_GT(pid, 0);
  int status = -1;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    context_.run_for(std::chrono::milliseconds(20));
  }
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(comes([&] { return !reaches("eth0", "192.0.2.10", "10.19.249.1"); }));
  EXPECT_TRUE(comes([&] { return !reaches("eth0", "192.0.2.10", "10.0.0.1"); }));
  EXPECT_TRUE(reaches("eth0", "192.0.2.10", "10.3.27.1"));
  const auto fresh = watcher_->refresh();
  ASSERT_TRUE(fresh);
  EXPECT_TRUE(now_ == *fresh) << describe();
}

}  // namespace
}  // namespace px::broker
