// SPDX-License-Identifier: MIT
#include "preload/names/reverse_name.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "tests/unit/dns/packet_fixture.h"

namespace px::shim {
namespace {

std::string reverse(int family, const char* text) {
  std::array<std::byte, 16> address{};
  EXPECT_EQ(::inet_pton(family, text, address.data()), 1);
  const auto found = reverse_of(std::span(address).first(family == AF_INET ? 4 : 16), family);
  return found ? dns::test::text_of(found->name) : "none";
}

TEST(ReverseName, ByBytesAndByHalfBytes) {
  EXPECT_EQ(reverse(AF_INET, "10.0.200.1"), "1.200.0.10.in-addr.arpa");
  EXPECT_EQ(reverse(AF_INET6, "2001:db8::1f"),
            "f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST(ReverseName, AnAddressThatStandsForAnIpv4OneHasItsName) {
  EXPECT_EQ(reverse(AF_INET6, "::ffff:10.0.0.1"), "1.0.0.10.in-addr.arpa");
  EXPECT_EQ(reverse(AF_INET6, "::10.0.0.1"), "1.0.0.10.in-addr.arpa");
  EXPECT_EQ(reverse(AF_INET6, "::1").substr(0, 6), "1.0.0.");
  EXPECT_NE(reverse(AF_INET6, "::1").find("ip6.arpa"), std::string::npos);
}

TEST(ReverseName, OtherLengthsAndFamiliesHaveNone) {
  const std::array<std::byte, 16> address{};
  EXPECT_FALSE(reverse_of(std::span(address).first(3), AF_INET));
  EXPECT_FALSE(reverse_of(address, AF_INET));
  EXPECT_FALSE(reverse_of(std::span(address).first(4), AF_INET6));
  EXPECT_FALSE(reverse_of(address, AF_UNIX));
}

}  // namespace
}  // namespace px::shim
