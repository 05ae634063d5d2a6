// SPDX-License-Identifier: MIT
#include "broker/config/network_text.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace px::broker {
namespace {

Address address(const char* text) {
  return *bundle::address_from_text(text);
}

bool holds(const std::vector<Network>& networks, const char* text) {
  return std::any_of(networks.begin(), networks.end(), [&](const Network& network) {
    return bundle::common_prefix_length(network.base, address(text)) >= network.prefix_length;
  });
}

void expect_one(const char* text, const char* base, unsigned prefix_length) {
  const auto networks = parse_destination(text);
  ASSERT_TRUE(networks) << networks.error();
  ASSERT_EQ(networks->size(), 1u) << text;
  EXPECT_EQ(networks->front().base, address(base)) << text;
  EXPECT_EQ(networks->front().prefix_length, prefix_length) << text;
}

TEST(NetworkText, Ipv4LengthsCountFromTheMappedPrefix) {
  expect_one("10.0.0.0/8", "10.0.0.0", 104);
  expect_one("0.0.0.0/0", "0.0.0.0", 96);
  expect_one("192.0.2.1", "192.0.2.1", 128);
  expect_one("192.0.2.1/32", "192.0.2.1", 128);
}

TEST(NetworkText, NetmasksOfIpv4) {
  expect_one("10.0.0.0/255.0.0.0", "10.0.0.0", 104);
  expect_one("0.0.0.0/0.0.0.0", "0.0.0.0", 96);
  expect_one("192.0.2.128/255.255.255.128", "192.0.2.128", 121);
  expect_one("192.0.2.1/255.255.255.255", "192.0.2.1", 128);
  for (const char* text : {"10.0.0.0/0.0.0.255", "10.0.0.0/255.0.255.0", "10.0.0.0/255.0.0",
                           "10.0.0.0/255.", "::ffff:10.0.0.0/255.0.0.0"}) {
    EXPECT_FALSE(parse_destination(text)) << text;
  }
}

TEST(NetworkText, Ipv6) {
  expect_one("2001:db8::/32", "2001:db8::", 32);
  expect_one("2001:DB8::1", "2001:db8::1", 128);
  expect_one("::1", "::1", 128);
}

TEST(NetworkText, MappedNetworksAreIpv4) {
  expect_one("::ffff:10.0.0.0/104", "10.0.0.0", 104);
  expect_one("::ffff:0:0/96", "0.0.0.0", 96);
  expect_one("::ffff:192.0.2.1", "192.0.2.1", 128);
}

TEST(NetworkText, AnyHoldsBothFamilies) {
  const auto networks = parse_destination("any");
  ASSERT_TRUE(networks);
  ASSERT_EQ(networks->size(), 1u);
  EXPECT_EQ(networks->front().prefix_length, 0u);
}

// In the sixteen-byte form ::/0 would hold IPv4 as well, which nobody who writes it means.
TEST(NetworkText, Ipv6NetworksNeverHoldIpv4) {
  for (const char* text : {"::/0", "::/3", "::/64", "::/80", "::fffe:0:0/95"}) {
    const auto networks = parse_destination(text);
    ASSERT_TRUE(networks) << text << ": " << networks.error();
    EXPECT_FALSE(holds(*networks, "0.0.0.0")) << text;
    EXPECT_FALSE(holds(*networks, "10.1.2.3")) << text;
    EXPECT_FALSE(holds(*networks, "255.255.255.255")) << text;
    EXPECT_TRUE(holds(*networks, "::fffe:1:1")) << text;
  }
  const auto all = parse_destination("::/0");
  for (const char* text : {"::", "::1", "::fffe:ffff:ffff", "::1:0:0:0", "2001:db8::1", "fe80::1",
                           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    EXPECT_TRUE(holds(*all, text)) << text;
  }
  EXPECT_FALSE(holds(*parse_destination("::/3"), "2001:db8::1"));
}

TEST(NetworkText, SaysWhichNetworkWasMeant) {
  const auto message = [](const char* text) {
    const auto networks = parse_destination(text);
    return networks ? "" : networks.error();
  };
  EXPECT_EQ(message("10.1.2.3/8"), "10.1.2.3/8 has host bits set; the network is 10.0.0.0/8");
  EXPECT_EQ(message("10.0.0.1/31"), "10.0.0.1/31 has host bits set; the network is 10.0.0.0/31");
  EXPECT_EQ(message("1.0.0.0/0"), "1.0.0.0/0 has host bits set; the network is 0.0.0.0/0");
  EXPECT_EQ(message("2001:db8:8000::/32"),
            "2001:db8:8000::/32 has host bits set; the network is 2001:db8::/32");
}

TEST(NetworkText, Ports) {
  const auto ports = [](const char* text) {
    const auto range = parse_ports(text);
    return range ? std::pair<int, int>(range->low, range->high) : std::pair<int, int>(-1, -1);
  };
  EXPECT_EQ(ports("443"), std::pair(443, 443));
  EXPECT_EQ(ports("1-65535"), std::pair(1, 65535));
  EXPECT_EQ(ports("80-80"), std::pair(80, 80));
  for (const char* bad : {"", "0", "-", "80-", "-80", "65536", "1-65536", "90-80", " 80", "+80"}) {
    EXPECT_EQ(ports(bad), std::pair(-1, -1)) << bad;
  }
}

}  // namespace
}  // namespace px::broker
