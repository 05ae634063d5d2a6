// SPDX-License-Identifier: MIT
#include "preload/bundles/member_order.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <ctime>
#include <string>
#include <vector>

#include "shim_fixture.h"

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
    holder_.start(test_settings());
    broker_.plan.publish_system();
    (void)holder_.introduce();
  }

  Lines order(const Lines& addresses) {
    const bundle::Bundle ordered = best_first(holder_, bundle_of(addresses));
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
    slot.way = std::uint64_t{key.interface_index} << 32 | 80u << 16 | (alive ? 1 : 0);
    slot.owner = std::uint64_t{key.user} << 32;
    slot.until = static_cast<std::uint64_t>(now.tv_sec) * 1000 + 9000;
  }

  TestBroker broker_;
  PlanHolder holder_{&TestBroker::answer};
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
  // There is no way to it: vpn0 has no IPv6.
  EXPECT_EQ(order({"2001:db8::1", "10.0.0.2"}), (Lines{"10.0.0.2", "2001:db8::1"}));
}

TEST_F(MemberOrderTest, NearIsTheHostItself) {
  EXPECT_TRUE(all_near(holder_, bundle_of({"127.0.0.1", "::1"})));
  EXPECT_FALSE(all_near(holder_, bundle_of({"127.0.0.1", "10.0.0.1"})));
}

}  // namespace
}  // namespace px::shim
