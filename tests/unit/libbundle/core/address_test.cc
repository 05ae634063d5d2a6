// SPDX-License-Identifier: MIT
#include "libbundle/core/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace px::bundle {
namespace {

std::string round_trip(std::string_view text) {
  const auto address = address_from_text(text);
  if (!address) return "no address";
  std::array<char, kAddressTextSize> buffer{};
  return std::string(address_text(*address, buffer));
}

TEST(Address, TextIsCanonical) {
  EXPECT_EQ(round_trip("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(round_trip("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
  EXPECT_EQ(round_trip("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(round_trip("::"), "::");
}

TEST(Address, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1:2", "fe80::1%eth0", "name"}) {
    EXPECT_EQ(round_trip(text), "no address") << text;
  }
  EXPECT_FALSE(address_from_text(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(address_from_text(std::string(100, '1')));
}

TEST(Address, MappedAndPlainIpv4AreOne) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(80);
  in.sin_addr.s_addr = htonl(0xc0000201);
  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_port = htons(80);
  inet_pton(AF_INET6, "::ffff:192.0.2.1", &mapped.sin6_addr);
  const auto a = endpoint_from_sockaddr(reinterpret_cast<sockaddr*>(&in), sizeof in);
  const auto b = endpoint_from_sockaddr(reinterpret_cast<sockaddr*>(&mapped), sizeof mapped);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->address, b->address);
  EXPECT_EQ(a->port, 80);
  EXPECT_TRUE(b->address.is_ipv4());
}

TEST(Address, SockaddrRoundTripKeepsPortAndScope) {
  const Endpoint endpoint{*address_from_text("fe80::1"), 443, 7};
  sockaddr_storage storage{};
  const socklen_t length = sockaddr_from_endpoint(endpoint, AF_INET6, &storage);
  const auto back = endpoint_from_sockaddr(reinterpret_cast<sockaddr*>(&storage), length);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->address, endpoint.address);
  EXPECT_EQ(back->port, 443);
  EXPECT_EQ(back->scope, 7u);
  EXPECT_EQ(sockaddr_from_endpoint(endpoint, AF_INET, &storage), 0u);
}

TEST(Address, RefusesShortAndForeignSockaddrs) {
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  const auto* address = reinterpret_cast<sockaddr*>(&in6);
  EXPECT_FALSE(endpoint_from_sockaddr(nullptr, sizeof in6));
  EXPECT_FALSE(endpoint_from_sockaddr(address, 0));
  EXPECT_FALSE(endpoint_from_sockaddr(address, 23));
  EXPECT_TRUE(endpoint_from_sockaddr(address, 24));
  in6.sin6_family = AF_UNIX;
  EXPECT_FALSE(endpoint_from_sockaddr(address, sizeof in6));
}

TEST(Address, Classes) {
  const auto address = [](const char* text) { return *address_from_text(text); };
  EXPECT_TRUE(address("127.42.0.1").is_loopback());
  EXPECT_TRUE(address("::1").is_loopback());
  EXPECT_TRUE(address("::ffff:127.0.0.1").is_loopback());
  EXPECT_FALSE(address("128.0.0.1").is_loopback());
  EXPECT_TRUE(address("0.0.0.0").is_unspecified());
  EXPECT_TRUE(address("::").is_unspecified());
  EXPECT_FALSE(address("::1").is_unspecified());
  EXPECT_TRUE(address("169.254.1.1").is_link_local());
  EXPECT_TRUE(address("febf::1").is_link_local());
  EXPECT_FALSE(address("fec0::1").is_link_local());
}

TEST(Address, CommonPrefix) {
  const auto length = [](const char* a, const char* b) {
    return common_prefix_length(*address_from_text(a), *address_from_text(b));
  };
  EXPECT_EQ(length("10.0.0.0", "10.0.0.0"), 128u);
  EXPECT_EQ(length("10.0.0.0", "10.0.0.1"), 127u);
  EXPECT_EQ(length("10.0.0.0", "138.0.0.0"), 96u);
  EXPECT_EQ(length("2001:db8::", "fd00::"), 0u);
}

}  // namespace
}  // namespace px::bundle
