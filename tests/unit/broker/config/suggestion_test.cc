// SPDX-License-Identifier: MIT
#include "broker/config/suggestion.h"

#include <gtest/gtest.h>

#include <vector>

namespace px::broker {
namespace {

constexpr std::string_view kWords[] = {"interface", "source", "port", "proto", "to"};

TEST(Suggestion, FindsTheWordThatWasMeant) {
  EXPECT_EQ(closest("intreface", kWords), "interface");
  EXPECT_EQ(closest("INTERFACE", kWords), "interface");
  EXPECT_EQ(closest("sorce", kWords), "source");
  EXPECT_EQ(closest("prot", kWords), "proto");
  EXPECT_EQ(closest("pport", kWords), "port");
  EXPECT_EQ(closest("too", kWords), "to");
}

TEST(Suggestion, IsSilentWhereNothingIsNear) {
  EXPECT_EQ(closest("gateway", kWords), std::nullopt);
  EXPECT_EQ(closest("", kWords), std::nullopt);
  EXPECT_EQ(closest("x", kWords), std::nullopt);
  EXPECT_EQ(closest(std::string(100000, 'i'), kWords), std::nullopt);
  EXPECT_EQ(closest("port", {}), std::nullopt);
}

TEST(Suggestion, Hints) {
  EXPECT_EQ(hint("prto", kWords), "; did you mean 'proto'?");
  EXPECT_EQ(hint("gateway", kWords), "; expected interface, source, port, proto or to");
  EXPECT_EQ(hint("gateway", {}), "");
}

TEST(Suggestion, CutsLongLists) {
  const std::vector<std::string_view> words(13, "x");
  EXPECT_EQ(enumerated(words), "x, x, x, x, x, x, x, x, x, x, x, x...");
}

TEST(Suggestion, QuotesAreSafeToPrint) {
  EXPECT_EQ(in_quotes("eth0"), "'eth0'");
  EXPECT_EQ(in_quotes(std::string_view("a\0\x1b\n\xc3\xa4", 6)), "'a\\x00\\x1b\\x0a\\xc3\\xa4'");
  EXPECT_EQ(in_quotes(std::string(101, 'x')), "'" + std::string(100, 'x') + "...'");
}

}  // namespace
}  // namespace px::broker
