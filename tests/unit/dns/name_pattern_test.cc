// SPDX-License-Identifier: MIT
#include "dns/name_pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace px::dns {
namespace {

NamePattern pattern(const char* text) {
  return *NamePattern::from_text(text);
}

bool matches(const char* text, const char* name) {
  return pattern(text).matches(*Name::from_text(name));
}

TEST(NamePattern, ANameMatchesItselfAlone) {
  EXPECT_TRUE(matches("corp.example", "corp.example"));
  EXPECT_FALSE(matches("corp.example", "git.corp.example"));
  EXPECT_FALSE(matches("corp.example", "example"));
  EXPECT_FALSE(matches("corp.example", "xcorp.example"));
}

TEST(NamePattern, AWildcardMatchesWhatIsBelowHoweverDeep) {
  EXPECT_TRUE(matches("*.corp.example", "git.corp.example"));
  EXPECT_TRUE(matches("*.corp.example", "a.b.c.corp.example"));
  EXPECT_FALSE(matches("*.corp.example", "corp.example"));
  EXPECT_FALSE(matches("*.corp.example", "xcorp.example"));
  EXPECT_FALSE(matches("*.corp.example", "git.corp.example.net"));
  EXPECT_FALSE(matches("*.corp.example", "."));
  EXPECT_TRUE(matches("*.example", "corp.example"));
}

// A dot inside a label begins no new one.
TEST(NamePattern, LabelsAreWhole) {
  EXPECT_FALSE(matches("*.corp.example", "git\\.corp.example"));
  EXPECT_FALSE(matches("*.corp.example", "\\004corp.example"));
}

TEST(NamePattern, CaseAndADotAtTheEndAreNoDifference) {
  EXPECT_TRUE(matches("Corp.Example.", "cORP.example"));
  EXPECT_TRUE(matches("*.Corp.Example", "GIT.corp.EXAMPLE."));
  EXPECT_TRUE(pattern("*.CORP.example.") == pattern("*.corp.example"));
}

TEST(NamePattern, AStarElsewhereMakesNone) {
  for (const char* bad : {"*", "*.", "**.corp.example", "*corp.example", "git*.corp.example",
                          "git.*.example", "git.*", "*.*.example", "", ".", ".corp.example", "a..b",
                          "-a.example", "a b.example", "a\\.b", "*.\xc3\xbc.example"}) {
    EXPECT_FALSE(NamePattern::from_text(bad)) << bad;
  }
  EXPECT_FALSE(NamePattern::from_text("*." + std::string(64, 'a')));
}

TEST(NamePattern, TheLongestIsTheMostSpecific) {
  EXPECT_GT(pattern("git.corp.example").length(), pattern("*.corp.example").length());
  EXPECT_GT(pattern("*.corp.example").length(), pattern("*.example").length());
}

TEST(NamePattern, OneMayCoverAnother) {
  EXPECT_TRUE(pattern("*.example").covers(pattern("*.corp.example")));
  EXPECT_TRUE(pattern("*.example").covers(pattern("corp.example")));
  EXPECT_TRUE(pattern("*.example").covers(pattern("*.example")));
  EXPECT_TRUE(pattern("corp.example").covers(pattern("CORP.example")));
  EXPECT_FALSE(pattern("*.example").covers(pattern("example")));
  EXPECT_FALSE(pattern("*.corp.example").covers(pattern("*.example")));
  EXPECT_FALSE(pattern("corp.example").covers(pattern("*.corp.example")));
}

}  // namespace
}  // namespace px::dns
