// SPDX-License-Identifier: MIT
#include "preload/sockets/given_sources.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/unit/preload/shim_values.h"

namespace px::shim {
namespace {

TEST(GivenSources, KnowsWhatWasGivenAndNothingElse) {
  GivenSources given;
  EXPECT_TRUE(given.empty());
  EXPECT_FALSE(given.mark_of(address("10.2.0.2")));
  given.remember(address("10.2.0.2"), 0x05000000);
  given.remember(address("fd02::2"), 0);
  EXPECT_FALSE(given.empty());
  EXPECT_EQ(given.mark_of(address("10.2.0.2")), 0x05000000u);
  EXPECT_EQ(given.mark_of(address("fd02::2")), 0u);
  EXPECT_FALSE(given.mark_of(address("10.2.0.3")));
  given.remember(address("10.2.0.2"), 0x07000000);
  EXPECT_EQ(given.mark_of(address("10.2.0.2")), 0x07000000u);
}

TEST(GivenSources, TheNewestAreKnownWhateverWasBefore) {
  const auto given = std::make_unique<GivenSources>();
  for (int i = 0; i < 10000; ++i) {
    const auto source =
        address("10." + std::to_string(i / 200) + "." + std::to_string(i % 200) + ".1");
    given->remember(source, 7);
    EXPECT_EQ(given->mark_of(source), 7u);
  }
}

}  // namespace
}  // namespace px::shim
