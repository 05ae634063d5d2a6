// SPDX-License-Identifier: MIT
#include "preload/names/member_order.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <ctime>
#include <string>
#include <vector>

#include "tests/unit/preload/shim_session.h"

namespace px::shim {
namespace {

using Lines = std::vector<std::string>;

bundle::Bundle bundle_of(const Lines& addresses) {
  bundle::Bundle bundle;
  for (const std::string& text : addresses) {
    bundle.endpoints[bundle.count++] = {.address = address(text), .port = 80};
  }
  return bundle;
}

class MemberOrderTest : public testing::Test {
 protected:
  MemberOrderTest() {
    broker_.plan.publish_system();
    (void)shim_.session.ensure_session();
  }

  Lines order(const Lines& addresses) {
    return lines_of(best_first(shim_.decider, shim_.health, bundle_of(addresses)));
  }
  Lines order_of_families(const Lines& addresses, bool has_ipv6) {
    static bool asked_for_a_route;
    asked_for_a_route = false;
    SystemCalls system;
    system.socket = [](int, int, int) { return 7; };
    system.close = [](int) { return 0; };
    system.connect =
        has_ipv6 ? [](int, const sockaddr*, socklen_t) { return asked_for_a_route = true, 0; }
                 : [](int, const sockaddr*, socklen_t) { return asked_for_a_route = true, -1; };
    const Lines lines = lines_of(ipv6_first(system, shim_.decider, bundle_of(addresses)));
    asked_ = asked_for_a_route;
    return lines;
  }
  static Lines lines_of(const bundle::Bundle& ordered) {
    Lines lines;
    std::array<char, bundle::kAddressTextSize> buffer;
    for (const auto& member : ordered.members()) {
      EXPECT_EQ(member.port, 80);
      lines.emplace_back(bundle::address_text(member.address, buffer));
    }
    return lines;
  }
  // What this user's programs found out, as the broker writes it.
  void found(const std::string& text, bool alive, std::uint32_t interface = 0) {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    const plan::HealthKey key =
        plan::health_key(::geteuid(), {.address = address(text), .port = 80}, interface);
    plan::HealthSlot& slot = broker_.plan.header().health.slots[plan::first_slot(key)];
    const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(key.address.bytes);
    slot.address[0] = halves[0];
    slot.address[1] = halves[1];
    slot.target = std::uint64_t{key.interface_index} << 32 | 80u << 16 | (alive ? 1 : 0);
    slot.owner = std::uint64_t{key.user} << 32;
    slot.until = static_cast<std::uint64_t>(now.tv_sec) * 1000 + 9000;
  }

  bool asked_ = false;
  TestBroker broker_;
  StartedSession shim_;
};

TEST_F(MemberOrderTest, WhatIsKnownToBeDeadIsLast) {
  EXPECT_EQ(order({"10.0.0.1", "::2", "10.0.0.3"}), (Lines{"10.0.0.1", "::2", "10.0.0.3"}));
  found("10.0.0.1", false);
  found("10.0.0.3", true);
  EXPECT_EQ(order({"10.0.0.1", "::2", "10.0.0.3"}), (Lines{"::2", "10.0.0.3", "10.0.0.1"}));
}

TEST_F(MemberOrderTest, ByTheInterfaceThatTheRuleMeans) {
  broker_.plan.publish_via(entry(3, "vpn0", "10.2.0.2"));
  found("10.0.0.1", false);
  EXPECT_EQ(order({"10.0.0.1", "10.0.0.2"}), (Lines{"10.0.0.1", "10.0.0.2"}));
  found("10.0.0.1", false, 3);
  EXPECT_EQ(order({"10.0.0.1", "10.0.0.2"}), (Lines{"10.0.0.2", "10.0.0.1"}));
  // vpn0 has no IPv6, and so no route to it.
  EXPECT_EQ(order({"2001:db8::1", "10.0.0.2"}), (Lines{"10.0.0.2", "2001:db8::1"}));
}

TEST_F(MemberOrderTest, Ipv6IsFirstWhereThereIsARouteToIt) {
  const Lines mixed = {"10.0.0.1", "2001:db8::1", "10.0.0.2", "2001:db8::2"};
  EXPECT_EQ(order_of_families(mixed, true),
            (Lines{"2001:db8::1", "2001:db8::2", "10.0.0.1", "10.0.0.2"}));
  EXPECT_EQ(order_of_families(mixed, false), mixed);
  for (const Lines& one : {Lines{"10.0.0.1", "10.0.0.2"}, Lines{"2001:db8::1", "2001:db8::2"},
                           Lines{"2001:db8::1", "10.0.0.1"}}) {
    EXPECT_EQ(order_of_families(one, true), one);
    EXPECT_FALSE(asked_) << "there is nothing to choose";
  }
}

TEST_F(MemberOrderTest, WhetherThereIsARouteThePlanSays) {
  broker_.plan.publish_via(entry(3, "vpn0", "fd02::2"));
  const Lines mixed = {"10.0.0.1", "2001:db8::1"};
  EXPECT_EQ(order_of_families(mixed, false), (Lines{"2001:db8::1", "10.0.0.1"}));
  EXPECT_FALSE(asked_);
  broker_.plan.publish_via(entry(3, "vpn0", "10.2.0.2"));
  EXPECT_EQ(order_of_families(mixed, true), mixed);
  EXPECT_FALSE(asked_);
}

TEST_F(MemberOrderTest, NearIsTheHostItself) {
  EXPECT_TRUE(all_near(shim_.decider, bundle_of({"127.0.0.1", "::1"})));
  EXPECT_FALSE(all_near(shim_.decider, bundle_of({"127.0.0.1", "10.0.0.1"})));
}

}  // namespace
}  // namespace px::shim
