// SPDX-License-Identifier: MIT
#include "broker/config/service_names.h"

#include <gtest/gtest.h>

namespace px::broker {
namespace {

using Ports = std::set<std::uint16_t>;

const ServiceNames& names() {
  static const ServiceNames kNames(
      "# Network services\n"
      "domain\t\t53/tcp\n"
      "domain\t\t53/udp\n"
      "http\t\t80/tcp\t\twww\t# WorldWideWeb HTTP\n"
      "https 443/tcp\n"
      "#gopher 70/tcp\n"
      "split 1000/tcp\r\n"
      "split 1001/udp\n"
      "bad 70000/tcp\nworse 0/tcp\nworst tcp/80\nalone\nno-protocol 81\n\n"
      "last 9/sctp");
  return kNames;
}

TEST(ServiceNames, NamesAndAliases) {
  EXPECT_EQ(names().ports("https"), Ports{443});
  EXPECT_EQ(names().ports("http"), Ports{80});
  EXPECT_EQ(names().ports("www"), Ports{80});
  EXPECT_EQ(names().ports("last"), Ports{9});
}

TEST(ServiceNames, AllPortsOfAName) {
  EXPECT_EQ(names().ports("domain"), Ports{53});
  EXPECT_EQ(names().ports("split"), (Ports{1000, 1001}));
}

TEST(ServiceNames, WhatDoesNotReadIsLeftOut) {
  for (const char* name : {"gopher", "WorldWideWeb", "bad", "worse", "worst", "alone",
                           "no-protocol", "53/tcp", "", "HTTP"}) {
    EXPECT_TRUE(names().ports(name).empty()) << name;
  }
  EXPECT_TRUE(ServiceNames("").ports("http").empty());
  EXPECT_TRUE(ServiceNames::read("/nonexistent").ports("http").empty());
}

TEST(ServiceNames, WhichWasMeant) {
  EXPECT_EQ(names().closest("htps"), "https");
  EXPECT_EQ(names().closest("HTTP"), "http");
  EXPECT_EQ(names().closest("something-else-altogether"), "");
}

TEST(ServiceNames, WhatIsANameAndWhatAPort) {
  for (const char* name : {"http", "http-alt", "x11-1", "3com-tsmux", "z39.50", "_a"}) {
    EXPECT_TRUE(is_service_name(name)) << name;
  }
  for (const char* other : {"80", "80-90", "", "-", "4.5", "80:90", "a b", "h\xc3\xa4"}) {
    EXPECT_FALSE(is_service_name(other)) << other;
  }
}

}  // namespace
}  // namespace px::broker
