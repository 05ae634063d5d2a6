// SPDX-License-Identifier: MIT
#include "preload/names/gai_conf.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/preload/shim_values.h"
#include "tests/unit/support/temporary_files.h"

namespace px::shim {
namespace {

class GaiConfTest : public testing::Test {
 protected:
  GaiConf conf(const std::string& text) {
    files_.write("gai.conf", text);
    return GaiConf(files_.path("gai.conf").c_str());
  }
  TemporaryFiles files_;
};

TEST_F(GaiConfTest, WithoutAFileTheTablesAreLibcs) {
  const GaiConf own("/nonexistent");
  const auto of = [&](const char* text) {
    return std::pair(own.label_of(address(text)), own.precedence_of(address(text)));
  };
  EXPECT_EQ(of("::1"), std::pair(0u, 50u));
  EXPECT_EQ(of("2001:db8::1"), std::pair(1u, 40u));
  EXPECT_EQ(of("2002:1::1"), std::pair(2u, 30u));
  EXPECT_EQ(of("::7"), std::pair(3u, 20u));
  EXPECT_EQ(of("192.0.2.1"), std::pair(4u, 10u));
  EXPECT_EQ(of("fec0::1"), std::pair(5u, 40u));
  EXPECT_EQ(of("fd00::1"), std::pair(6u, 40u));
  EXPECT_EQ(of("2001::1"), std::pair(7u, 40u));
}

TEST_F(GaiConfTest, ScopesAreThoseOfTheFamily) {
  const GaiConf own("/nonexistent");
  EXPECT_EQ(own.scope_of(address("fe80::1"), AF_INET6), 2u);
  EXPECT_EQ(own.scope_of(address("::1"), AF_INET6), 2u);
  EXPECT_EQ(own.scope_of(address("fec0::1"), AF_INET6), 5u);
  EXPECT_EQ(own.scope_of(address("fd00::1"), AF_INET6), 14u);
  EXPECT_EQ(own.scope_of(address("ff05::1"), AF_INET6), 5u);
  EXPECT_EQ(own.scope_of(address("127.0.0.5"), AF_INET), 2u);
  EXPECT_EQ(own.scope_of(address("169.254.3.4"), AF_INET), 2u);
  EXPECT_EQ(own.scope_of(address("10.0.0.1"), AF_INET), 14u);
  EXPECT_EQ(own.scope_of(address("169.254.3.4"), AF_INET6), 14u);
}

TEST_F(GaiConfTest, ALineTakesThePlaceOfAllOfItsKind) {
  const GaiConf one = conf("# precedence ::/0 7\nprecedence\t::ffff:0:0/96  100 # IPv4 first\n");
  EXPECT_EQ(one.precedence_of(address("192.0.2.1")), 100u);
  EXPECT_EQ(one.precedence_of(address("2001:db8::1")), 40u);
  EXPECT_EQ(one.precedence_of(address("::1")), 40u);
  EXPECT_EQ(one.label_of(address("::1")), 0u);
  const GaiConf all = conf("precedence ::/0 1\nprecedence 2001:db8::/32 2\nlabel fd00::/8 9\n");
  EXPECT_EQ(all.precedence_of(address("2001:db8::1")), 2u);
  EXPECT_EQ(all.precedence_of(address("192.0.2.1")), 1u);
  EXPECT_EQ(all.label_of(address("fd00::1")), 9u);
  EXPECT_EQ(all.label_of(address("192.0.2.1")), 1u);
}

TEST_F(GaiConfTest, TheMostSpecificCountsAndOfEqualOnesTheFirst) {
  const GaiConf two = conf("label 2001:db8::/32 1\nlabel 2001:db8::1 2\nlabel 2001:db8::/32 3\n");
  EXPECT_EQ(two.label_of(address("2001:db8::1")), 2u);
  EXPECT_EQ(two.label_of(address("2001:db8::2")), 1u);
}

TEST_F(GaiConfTest, ScopesOfIpv4AreWrittenInEitherForm) {
  const GaiConf own = conf("scopev4 ::ffff:10.0.0.0/104 5\nscopev4 192.168.0.0/16 6\n");
  EXPECT_EQ(own.scope_of(address("10.9.9.9"), AF_INET), 5u);
  EXPECT_EQ(own.scope_of(address("192.168.1.1"), AF_INET), 6u);
  EXPECT_EQ(own.scope_of(address("127.0.0.1"), AF_INET), 14u);
}

TEST_F(GaiConfTest, WhatIsNoLineOfItIsPassedOver) {
  const GaiConf own = conf(
      "reload yes\nlabel\nlabel 10.0.0.0/8 1\nlabel ::/129 1\nlabel ::/x 1\nlabel ::/0 -1\n"
      "label ::/0 4294967295\nscopev4 fd00::/8 1\nscopev4 ::/0 1\nscopev4 10.0.0.0/33 1\n");
  EXPECT_EQ(own.label_of(address("2002::1")), 2u);
  EXPECT_EQ(own.scope_of(address("127.0.0.1"), AF_INET), 2u);
}

TEST_F(GaiConfTest, MoreThanFitAreLeftOut) {
  std::string text;
  for (int n = 0; n < 100; ++n) text += "label 2001:db8:" + std::to_string(n) + "::/48 5\n";
  const GaiConf many = conf(text);
  EXPECT_EQ(many.label_of(address("2001:db8:63::1")), 5u);
  EXPECT_EQ(many.label_of(address("2001:db8:64::1")), 1u);
}

}  // namespace
}  // namespace px::shim
