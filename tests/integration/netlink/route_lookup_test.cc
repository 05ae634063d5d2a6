// SPDX-License-Identifier: MIT
#include "netlink/route_lookup.h"

#include <gtest/gtest.h>
#include <net/if.h>

#include "tests/integration/broker/host/watcher_fixture.h"

namespace px::broker {
namespace {

class RouteLookup : public WatcherTest {
 protected:
  void SetUp() override {
    WatcherTest::SetUp();
    ip("address add 2001:db8::10/64 dev eth1 nodad");
    ip("route add default via 2001:db8::1 dev eth1");
  }
  // The router's text, or "direct", or "none".
  static std::string router(const char* to, const char* interface, const char* source) {
    const auto found = netlink::look_up_router(addr(to), if_nametoindex(interface), addr(source));
    if (!found) return "none";
    std::array<char, bundle::kAddressTextSize> text{};
    return *found ? std::string(bundle::address_text(**found, text)) : "direct";
  }
};

TEST_F(RouteLookup, AnswersForTheInterfaceAndTheSource) {
  EXPECT_EQ(router("203.0.113.1", "eth0", "192.0.2.10"), "192.0.2.1");
  EXPECT_EQ(router("203.0.113.1", "eth1", "198.51.100.10"), "198.51.100.1");
  EXPECT_EQ(router("198.51.100.7", "eth1", "198.51.100.10"), "direct");
  EXPECT_EQ(router("2001:db8:9::1", "eth1", "2001:db8::10"), "2001:db8::1");
  EXPECT_EQ(router("2001:db8::7", "eth1", "2001:db8::10"), "direct");
  ip("address add 2001:db8:1::10/64 dev eth0 nodad");
  ip("route add default via 2001:db8:1::1 dev eth0 metric 10");
  EXPECT_EQ(router("2001:db8:9::1", "eth1", "2001:db8::10"), "2001:db8::1") << "not the best";
}

TEST_F(RouteLookup, TakesRulesAndRoutesAsTheKernelDoes) {
  ip("route add 203.0.113.0/24 via 198.51.100.2 dev eth1");
  EXPECT_EQ(router("203.0.113.1", "eth1", "198.51.100.10"), "198.51.100.2");
  ip("route add default via 198.51.100.3 dev eth1 table 900");
  ip("rule add from 198.51.100.10 lookup 900");
  EXPECT_EQ(router("203.0.113.1", "eth1", "198.51.100.10"), "198.51.100.3");
  EXPECT_EQ(router("203.0.113.1", "eth0", "192.0.2.10"), "192.0.2.1");
}

TEST_F(RouteLookup, WithoutARouteThereIsNone) {
  ip("route delete default via 2001:db8::1 dev eth1");
  EXPECT_EQ(router("2001:db8:9::1", "eth1", "2001:db8::10"), "none");
  EXPECT_EQ(router("203.0.113.1", "nothing", "192.0.2.10"), "none");
}

}  // namespace
}  // namespace px::broker
