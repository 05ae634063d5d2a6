// SPDX-License-Identifier: MIT
#include "preload/names/destination_order.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/preload/shim_values.h"

namespace px::shim {
namespace {

// An address, and what it leaves from; empty: it cannot be reached.
struct Way {
  std::string to;
  std::string from;
};
using Texts = std::vector<std::string>;

Destination destination(const Way& way) {
  Destination one;
  one.address = address(way.to);
  one.family = one.address.is_ipv4() ? AF_INET : AF_INET6;
  one.reachable = !way.from.empty();
  if (one.reachable) one.source = address(way.from);
  one.interface = 1;
  one.prefix_bits = 24;
  return one;
}

Texts sorted(std::vector<Destination> all) {
  std::vector<Destination> room(all.size());
  sort_destinations(GaiConf("/nonexistent"), all, room);
  Texts texts;
  std::array<char, bundle::kAddressTextSize> buffer;
  for (const Destination& one : all) texts.emplace_back(bundle::address_text(one.address, buffer));
  return texts;
}

Texts sorted(const std::vector<Way>& ways) {
  std::vector<Destination> all;
  for (const Way& way : ways) all.push_back(destination(way));
  return sorted(all);
}

constexpr const char* kFour = "10.9.0.2";
constexpr const char* kSix = "fd09::2";

// What glibc 2.36 makes of these answers on three hosts.

TEST(DestinationOrderTest, AsLibcOnAHostOfBothFamilies) {
  EXPECT_EQ(sorted({{"10.9.1.30", kFour},
                    {"192.0.2.30", kFour},
                    {"10.9.0.30", kFour},
                    {"198.51.100.30", kFour},
                    {"2001:db8::30", kSix},
                    {"fd09::30", kSix},
                    {"fd09:1::30", kSix},
                    {"2002:c000:21e::1", kSix}}),
            (Texts{"fd09::30", "fd09:1::30", "10.9.0.30", "10.9.1.30", "192.0.2.30",
                   "198.51.100.30", "2001:db8::30", "2002:c000:21e::1"}));
  EXPECT_EQ(sorted({{"169.254.3.4", kFour},
                    {"127.0.0.5", "127.0.0.1"},
                    {"fe80::5", ""},
                    {"fd09:1::5", kSix},
                    {"::1", "::1"}}),
            (Texts{"::1", "fd09:1::5", "127.0.0.5", "169.254.3.4", "fe80::5"}));
}

TEST(DestinationOrderTest, AsLibcOnAHostOfOneFamily) {
  EXPECT_EQ(sorted({{"10.9.1.30", ""},
                    {"192.0.2.30", ""},
                    {"2001:db8::30", kSix},
                    {"fd09::30", kSix},
                    {"2002:c000:21e::1", kSix}}),
            (Texts{"fd09::30", "2001:db8::30", "2002:c000:21e::1", "10.9.1.30", "192.0.2.30"}));
  EXPECT_EQ(sorted({{"10.9.1.30", kFour}, {"2001:db8::30", ""}, {"::7", ""}}),
            (Texts{"10.9.1.30", "2001:db8::30", "::7"}));
}

TEST(DestinationOrderTest, TheSourcesStateCounts) {
  std::vector<Destination> all{destination({"2001:db8::1", "2001:db8::9"}),
                               destination({"2001:db8::2", "2001:db8::8"})};
  all[0].deprecated = true;
  EXPECT_EQ(sorted(all), (Texts{"2001:db8::2", "2001:db8::1"}));
  all[0].deprecated = false;
  all[1].home = true;
  EXPECT_EQ(sorted(all), (Texts{"2001:db8::2", "2001:db8::1"}));
}

TEST(DestinationOrderTest, OfTwoInterfacesOneMayBeATunnel) {
  std::vector<Destination> all{destination({"192.0.2.1", kFour}),
                               destination({"192.0.2.2", kFour})};
  all[0].native = false;
  EXPECT_EQ(sorted(all), (Texts{"192.0.2.1", "192.0.2.2"}));
  all[1].interface = 2;
  EXPECT_EQ(sorted(all), (Texts{"192.0.2.2", "192.0.2.1"}));
}

TEST(DestinationOrderTest, ALongerMatchOfPrefixesIsForIpv6) {
  EXPECT_EQ(sorted({{"2001:db8:1::1", "2001:db8:2::9"}, {"2001:db8:2::1", "2001:db8:2::9"}}),
            (Texts{"2001:db8:2::1", "2001:db8:1::1"}));
  EXPECT_EQ(sorted({{"10.8.0.1", kFour}, {"10.9.7.1", kFour}}), (Texts{"10.8.0.1", "10.9.7.1"}));
}

TEST(DestinationOrderTest, ManyThatAreAlikeStayInTheirOrder) {
  std::vector<Way> ways;
  Texts texts;
  for (int n = 1; n < 250; ++n) {
    texts.push_back("10.1.0." + std::to_string(n));
    ways.push_back({texts.back(), kFour});
  }
  EXPECT_EQ(sorted(ways), texts);
}

}  // namespace
}  // namespace px::shim
