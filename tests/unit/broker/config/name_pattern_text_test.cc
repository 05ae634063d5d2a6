// SPDX-License-Identifier: MIT
#include "broker/config/name_pattern_text.h"

#include <gtest/gtest.h>

namespace px::broker {
namespace {

std::string error_of(const char* text) {
  const auto pattern = parse_name_pattern(text);
  return pattern ? "none" : pattern.error();
}

TEST(NamePatternText, NamesAndPatterns) {
  for (const char* good : {"corp.example", "*.corp.example", "*.example", "nas", "x_y.example",
                           "xn--bcher-kva.example.", "10.example"}) {
    EXPECT_EQ(error_of(good), "none") << good;
  }
}

TEST(NamePatternText, AMisplacedStarIsToldWithWhatWasMeant) {
  const std::string why = ": a '*' stands for whole labels in front; ";
  EXPECT_EQ(error_of("git.*.example"),
            "bad name 'git.*.example'" + why + "did you mean '*.example'?");
  EXPECT_EQ(error_of("*corp.example"),
            "bad name '*corp.example'" + why + "did you mean '*.corp.example'?");
  EXPECT_EQ(error_of("**.corp.example"),
            "bad name '**.corp.example'" + why + "did you mean '*.corp.example'?");
  EXPECT_EQ(error_of("git*x.corp.example"),
            "bad name 'git*x.corp.example'" + why + "did you mean '*.corp.example'?");
  EXPECT_EQ(error_of(".corp.example"), "bad name '.corp.example'; did you mean '*.corp.example'?");
  const std::string expected =
      "expected a name (corp.example), or '*.' and a domain (*.corp.example)";
  EXPECT_EQ(error_of("git.*"), "bad name 'git.*'" + why + expected);
  EXPECT_EQ(error_of("*"), "bad name '*'" + why + expected);
}

TEST(NamePatternText, WhatIsNoNameIsToldSo) {
  const std::string expected =
      "; expected a name (corp.example), or '*.' and a domain (*.corp.example)";
  for (const std::string bad :
       {"", "a..b", "-a.example", "a b", "10.1.2.3", "10.1.2.256", "127.1"}) {
    EXPECT_EQ(error_of(bad.c_str()), "bad name '" + bad + "'" + expected);
  }
  EXPECT_EQ(error_of("*.10.1"),
            "bad name '*.10.1': a '*' stands for whole labels in front" + expected);
  EXPECT_EQ(error_of("b\xc3\xbc"
                     "cher.example"),
            "bad name 'b\\xc3\\xbccher.example'; expected its ASCII form, which begins with xn--");
}

}  // namespace
}  // namespace px::broker
