// SPDX-License-Identifier: MIT
#include "broker/config/covered_names.h"

#include <gtest/gtest.h>

#include "broker/config/name_pattern_text.h"

namespace px::broker {
namespace {

bool covers(const CoveredNames& covered, const char* text) {
  return covered.covers(*parse_name_pattern(text));
}

TEST(CoveredNames, HoldsWhatIsBelowADomain) {
  CoveredNames covered;
  EXPECT_FALSE(covers(covered, "corp.example"));
  covered.add(*parse_name_pattern("*.corp.example"));
  EXPECT_TRUE(covers(covered, "*.Corp.example"));
  EXPECT_TRUE(covers(covered, "git.corp.example"));
  EXPECT_TRUE(covers(covered, "*.a.b.corp.example"));
  EXPECT_FALSE(covers(covered, "corp.example"));
  EXPECT_FALSE(covers(covered, "*.example"));
}

TEST(CoveredNames, ANameCoversItselfAlone) {
  CoveredNames covered;
  covered.add(*parse_name_pattern("corp.example"));
  EXPECT_TRUE(covers(covered, "corp.example."));
  EXPECT_FALSE(covers(covered, "*.corp.example"));
  EXPECT_FALSE(covers(covered, "git.corp.example"));
}

}  // namespace
}  // namespace px::broker
