// SPDX-License-Identifier: MIT
#include "broker/config/path_glob.h"

#include <gtest/gtest.h>

#include <string>

namespace px::broker {
namespace {

bool matches(std::string_view pattern, std::string_view text) {
  return PathGlob(pattern).matches(text);
}

TEST(PathGlob, MatchesItself) {
  EXPECT_TRUE(matches("/usr/bin/git", "/usr/bin/git"));
  EXPECT_FALSE(matches("/usr/bin/git", "/usr/bin/gi"));
  EXPECT_FALSE(matches("/usr/bin/git", "/usr/bin/gitk"));
  EXPECT_FALSE(matches("/usr/bin/git", ""));
  EXPECT_TRUE(matches("/a[b].{c}", "/a[b].{c}")) << "nothing else has a meaning";
}

TEST(PathGlob, AStarStaysWithinAComponent) {
  EXPECT_TRUE(matches("/opt/*/run", "/opt/corp/run"));
  EXPECT_TRUE(matches("/opt/corp*", "/opt/corp"));
  EXPECT_FALSE(matches("/opt/*/run", "/opt/a/b/run"));
  EXPECT_FALSE(matches("/opt/*", "/opt/a/b"));
  EXPECT_TRUE(matches("/opt/?un", "/opt/run"));
  EXPECT_FALSE(matches("/opt?run", "/opt/run"));
  EXPECT_FALSE(matches("/opt/?", "/opt/"));
}

TEST(PathGlob, TwoStarsGoToAnyDepth) {
  EXPECT_TRUE(matches("/opt/corp/**", "/opt/corp/a"));
  EXPECT_TRUE(matches("/opt/corp/**", "/opt/corp/a/b/c"));
  EXPECT_FALSE(matches("/opt/corp/**", "/opt/corporate/a"));
  EXPECT_FALSE(matches("/opt/corp/**", "/opt/corp"));
  EXPECT_TRUE(matches("/**/git", "/git"));
  EXPECT_TRUE(matches("/**/git", "/usr/local/bin/git"));
  EXPECT_FALSE(matches("/**/git", "/usr/bin/legit"));
  EXPECT_TRUE(matches("/a/**/b/**/c", "/a/b/c"));
  EXPECT_TRUE(matches("/a/**/b/**/c", "/a/x/y/b/z/c"));
  EXPECT_FALSE(matches("/a/**/b/**/c", "/a/x/c"));
}

TEST(PathGlob, KnowsWhetherTwoCanMeet) {
  const auto overlap = [](std::string_view a, std::string_view b) {
    EXPECT_EQ(PathGlob(a).overlaps(PathGlob(b)), PathGlob(b).overlaps(PathGlob(a))) << a << b;
    return PathGlob(a).overlaps(PathGlob(b));
  };
  EXPECT_TRUE(overlap("/usr/bin/*", "/usr/*/git"));
  EXPECT_TRUE(overlap("/usr/**", "/**/git"));
  EXPECT_TRUE(overlap("/opt/a*", "/opt/*b"));
  EXPECT_TRUE(overlap("/usr/bin/git", "/usr/bin/git"));
  EXPECT_FALSE(overlap("/usr/bin/*", "/usr/bin/*/git"));
  EXPECT_FALSE(overlap("/opt/a*", "/opt/b*"));
  EXPECT_FALSE(overlap("/opt/?", "/opt/??"));
  EXPECT_FALSE(overlap("/usr/**", "/opt/**"));
  EXPECT_FALSE(overlap("/*", "/**/a/**"));
}

TEST(PathGlob, IsQuickOnHostilePatterns) {
  std::string pattern, text;
  for (int i = 0; i < 60; ++i) pattern += "*a";
  text.assign(2000, 'a');
  EXPECT_TRUE(matches(pattern, text));
  text.back() = 'b';
  EXPECT_FALSE(matches(pattern, text));
  std::string other;
  for (int i = 0; i < 500; ++i) other += "/**/b*";
  EXPECT_FALSE(PathGlob("/a" + other).overlaps(PathGlob("/c" + other)));
  EXPECT_TRUE(PathGlob(other).overlaps(PathGlob(other)));
}

}  // namespace
}  // namespace px::broker
