// SPDX-License-Identifier: MIT
#include "broker/host/range_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bitset>
#include <random>

#include "tests/unit/broker/host/host_fixture.h"

namespace px::broker {
namespace {

using test::addr;
using test::net;
using test::text_of;

constexpr char kLast[] = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

plan::Range range(std::string_view low, std::string_view high) {
  return {addr(low), addr(high)};
}

plan::Range range(std::string_view network) {
  return network_range(net(network).base, net(network).length);
}

TEST(RangeSet, NeighboursOfAnAddress) {
  EXPECT_EQ(address_after(addr("10.0.0.255")), addr("10.0.1.0"));
  EXPECT_EQ(address_before(addr("10.0.1.0")), addr("10.0.0.255"));
  EXPECT_EQ(address_after(addr("::ffff")), addr("::1:0"));
  EXPECT_EQ(address_after(addr(kLast)), std::nullopt);
  EXPECT_EQ(address_before(addr("::")), std::nullopt);
}

TEST(RangeSet, NetworksIgnoreHostBits) {
  EXPECT_EQ(range("10.1.2.3/20"), range("10.1.0.0", "10.1.15.255"));
  EXPECT_EQ(range("10.1.2.3/32"), range("10.1.2.3", "10.1.2.3"));
  EXPECT_EQ(range("0.0.0.0/0"), range("0.0.0.0", "255.255.255.255"));
  EXPECT_EQ(range("2001:db8::1/33"), range("2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_EQ(range("::/0"), range("::", kLast));
}

TEST(RangeSet, MergeJoinsWhatOverlapsOrTouches) {
  EXPECT_EQ(text_of(merge({range("10.0.2.0/24"), range("10.0.0.0/24"), range("10.0.1.0/24"),
                           range("10.0.1.128/25"), range("10.0.4.0/24")})),
            "10.0.0.0-10.0.2.255 10.0.4.0-10.0.4.255");
  EXPECT_EQ(merge({range("::/0"), range(kLast), range("::")}), Ranges{range("::/0")});
  EXPECT_EQ(merge({range("8000::/1"), range("::/1")}), Ranges{range("::/0")});
  EXPECT_EQ(merge({}), Ranges{});
}

TEST(RangeSet, SubtractCutsAtBothEnds) {
  const Ranges everything{range("::/0")};
  EXPECT_EQ(subtract(everything, everything), Ranges{});
  EXPECT_EQ(subtract(everything, {}), everything);
  EXPECT_EQ(subtract({}, everything), Ranges{});
  EXPECT_EQ(subtract(everything, {range("::/1")}), Ranges{range("8000::/1")});
  EXPECT_EQ(subtract(everything, {range("8000::/1")}), Ranges{range("::/1")});
  EXPECT_EQ(text_of(subtract({range("10.0.0.0/24"), range("10.0.2.0/24")},
                             {range("10.0.0.128", "10.0.2.127")})),
            "10.0.0.0-10.0.0.127 10.0.2.128-10.0.2.255");
}

TEST(RangeSet, ContainsLooksAtTheRangeBelow) {
  const Ranges ranges{range("10.0.0.0/24"), range("10.0.2.0/24")};
  EXPECT_TRUE(contains(ranges, addr("10.0.0.0")));
  EXPECT_TRUE(contains(ranges, addr("10.0.2.255")));
  EXPECT_FALSE(contains(ranges, addr("10.0.1.0")));
  EXPECT_FALSE(contains(ranges, addr("9.255.255.255")));
  EXPECT_FALSE(contains(ranges, addr("10.0.3.0")));
  EXPECT_TRUE(contains({range("::/0")}, addr(kLast)));
}

// The last 256 addresses there are, bit by bit against the range operations.
class LastAddresses {
 public:
  using Set = std::bitset<256>;

  static Address at(std::size_t i) {
    Address address = addr(kLast);
    address.bytes[15] = static_cast<std::uint8_t>(i);
    return address;
  }

  static Ranges ranges_of(const Set& set) {
    Ranges ranges;
    for (std::size_t i = 0; i < set.size(); ++i) {
      if (set[i]) ranges.push_back({at(i), at(i)});
    }
    return merge(ranges);
  }
};

TEST(RangeSet, AgreesWithSetsOfBits) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    LastAddresses::Set sets[2];
    for (auto& set : sets) {
      for (int run = 0; run < 6; ++run) {
        const std::size_t low = random() % 256;
        const std::size_t length = random() % 60;
        for (std::size_t i = low; i < std::min<std::size_t>(256, low + length); ++i) set.set(i);
      }
    }
    const Ranges a = LastAddresses::ranges_of(sets[0]);
    const Ranges b = LastAddresses::ranges_of(sets[1]);
    ASSERT_EQ(unite(a, b), LastAddresses::ranges_of(sets[0] | sets[1]));
    ASSERT_EQ(subtract(a, b), LastAddresses::ranges_of(sets[0] & ~sets[1]));
    ASSERT_EQ(intersect(a, b), LastAddresses::ranges_of(sets[0] & sets[1]));
  }
}

}  // namespace
}  // namespace px::broker
