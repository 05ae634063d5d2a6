// SPDX-License-Identifier: MIT
#include "libbundle/core/zone.h"

#include <gtest/gtest.h>
#include <net/if.h>

#include <cerrno>
#include <string>

namespace px::bundle {
namespace {

std::string text_of(std::uint32_t index) {
  std::array<char, kZoneTextSize> buffer;
  return std::string(zone_text(index, buffer));
}

TEST(Zone, AnInterfaceByNameAndByNumber) {
  const std::uint32_t index = if_nametoindex("lo");
  ASSERT_NE(index, 0u);
  EXPECT_EQ(zone_index("lo"), index);
  EXPECT_EQ(zone_index(std::to_string(index)), index);
  EXPECT_EQ(text_of(index), "lo");
}

TEST(Zone, WhatIsGoneIsANumber) {
  EXPECT_EQ(text_of(4000000000), "4000000000");
  EXPECT_EQ(text_of(4294967295), "4294967295");
  EXPECT_EQ(zone_index("4000000000"), 4000000000u);
  EXPECT_EQ(zone_index("4294967296"), 0u);
  EXPECT_EQ(zone_index("999999999999999"), 0u);
  EXPECT_EQ(zone_index("0"), 0u);
}

TEST(Zone, WhatIsNone) {
  for (const char* zone : {"", "no-such-link", "a b", "a/b", "a,b", "a|b", "a>b", "a%b", "\x01",
                           "abcdefghijklmnop", "1x"}) {
    EXPECT_EQ(zone_index(zone), 0u) << zone;
  }
  EXPECT_EQ(zone_index(std::string_view("lo\0", 3)), 0u);
}

TEST(Zone, ErrnoIsLeftAlone) {
  errno = ENOTTY;
  (void)zone_index("no-such-link");
  (void)text_of(4000000000);
  EXPECT_EQ(errno, ENOTTY);
}

}  // namespace
}  // namespace px::bundle
