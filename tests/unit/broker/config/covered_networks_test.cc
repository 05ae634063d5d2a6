// SPDX-License-Identifier: MIT
#include "broker/config/covered_networks.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "broker/config/network_text.h"

namespace px::broker {
namespace {

void add(CoveredNetworks& covered, const char* text) {
  const auto networks = *parse_destination(text);
  for (const Network& network : networks) covered.add(network);
}

bool covers(const CoveredNetworks& covered, const char* text) {
  const auto networks = *parse_destination(text);
  return std::all_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return covered.covers(network); });
}

TEST(CoveredNetworks, HoldsWhatIsInside) {
  CoveredNetworks covered;
  EXPECT_FALSE(covers(covered, "any"));
  EXPECT_FALSE(covers(covered, "10.0.0.1"));
  add(covered, "10.0.0.0/8");
  EXPECT_TRUE(covers(covered, "10.0.0.0/8"));
  EXPECT_TRUE(covers(covered, "10.255.255.255"));
  EXPECT_FALSE(covers(covered, "11.0.0.0"));
  EXPECT_FALSE(covers(covered, "10.0.0.0/7"));
  EXPECT_FALSE(covers(covered, "::/0"));
}

TEST(CoveredNetworks, PiecesMakeAWhole) {
  CoveredNetworks covered;
  for (const char* piece : {"192.0.2.192/26", "192.0.2.0/25", "192.0.2.128/27"}) {
    add(covered, piece);
    EXPECT_FALSE(covers(covered, "192.0.2.0/24")) << piece;
  }
  add(covered, "192.0.2.160/27");
  EXPECT_TRUE(covers(covered, "192.0.2.0/24"));
  EXPECT_FALSE(covers(covered, "192.0.2.0/23"));
}

TEST(CoveredNetworks, BothFamiliesAreEverything) {
  CoveredNetworks covered;
  add(covered, "0.0.0.0/0");
  EXPECT_FALSE(covered.everything());
  add(covered, "::/0");
  EXPECT_TRUE(covered.everything());
  EXPECT_TRUE(covers(covered, "any"));
  CoveredNetworks halves;
  for (const char* half : {"8000::/1", "128.0.0.0/1", "::/1", "0.0.0.0/1"}) {
    EXPECT_FALSE(halves.everything());
    add(halves, half);
  }
  EXPECT_TRUE(halves.everything());
}

}  // namespace
}  // namespace px::broker
