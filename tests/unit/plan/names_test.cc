// SPDX-License-Identifier: MIT
#include "plan/names.h"

#include <gtest/gtest.h>

#include <cstring>

#include "plan/name_wire.h"

namespace px::plan {
namespace {

TEST(Names, ALookupIsWaitedForAsLongAsLibcWaits) {
  const NameSettings one{NamesFrom::kProfile, 1, 5, 2};
  EXPECT_EQ(name_timeout_ms(one, 0), 5000u);
  EXPECT_EQ(lookup_limit_ms(one), 10000u);
  const NameSettings three{NamesFrom::kProfile, 3, 5, 1};
  EXPECT_EQ(name_timeout_ms(three, 1), 3000u);
  EXPECT_EQ(name_timeout_ms(three, 2), 6000u);
  EXPECT_EQ(lookup_limit_ms(three), 14000u);
  const NameSettings short_ones{NamesFrom::kProfile, 8, 1, 1};
  EXPECT_EQ(name_timeout_ms(short_ones, 1), 1000u);
  EXPECT_EQ(lookup_limit_ms(kNoNameServers), 0u);
}

TEST(Names, ValuesOutOfRangeAreTakenForTheNearest) {
  const NameSettings wild = valid_name_settings({static_cast<NamesFrom>(77), 255, 255, 255});
  EXPECT_EQ(wild.from, NamesFrom::kProfile) << "what is not known fails closed";
  EXPECT_EQ(wild.servers, kMostNameServers);
  EXPECT_EQ(wild.timeout_s, kLongestNameTimeoutS);
  EXPECT_EQ(wild.attempts, kMostNameAttempts);
  EXPECT_EQ(valid_name_settings({NamesFrom::kSomeOfProfile, 3, 3, 3}).from,
            NamesFrom::kSomeOfProfile);
  EXPECT_EQ(valid_name_settings({NamesFrom::kHost, 3, 3, 3}).servers, 0);
}

Lookup lookup() {
  auto message = make<Lookup>();
  message.types[0] = 1;
  const std::uint8_t name[] = {1, 'a', 0};
  std::memcpy(message.name, name, sizeof name);
  message.name_length = sizeof name;
  return message;
}

TEST(NameWire, ANameIsOneAndEndsWhereItSays) {
  EXPECT_TRUE(lookup().is_valid());
  for (const int length : {0, 2, 4, 255}) {
    auto message = lookup();
    message.name_length = static_cast<std::uint8_t>(length);
    EXPECT_FALSE(message.is_valid()) << length;
  }
  auto message = lookup();
  message.name[0] = 0xc0;
  EXPECT_FALSE(message.is_valid());
}

TEST(NameWire, ASearchListHoldsNamesAlone) {
  auto message = lookup();
  const std::uint8_t domains[] = {1, 'b', 0, 2, 'c', 'd', 0};
  std::memcpy(message.search, domains, sizeof domains);
  message.search_length = sizeof domains;
  EXPECT_TRUE(message.is_valid());
  message.search_length = sizeof domains - 1;
  EXPECT_FALSE(message.is_valid());
  message.search_length = sizeof message.search + 1;
  EXPECT_FALSE(message.is_valid());
}

TEST(NameWire, NumbersAreInTheirRanges) {
  const auto with = [](auto change) {
    auto message = lookup();
    change(&message);
    return message.is_valid();
  };
  EXPECT_FALSE(with([](Lookup* message) { message->types[0] = 0; }));
  EXPECT_FALSE(with([](Lookup* message) { message->flags = kLookupFlags + 1; }));
  EXPECT_FALSE(with([](Lookup* message) { message->timeout_s = kLongestNameTimeoutS + 1; }));
  EXPECT_FALSE(with([](Lookup* message) { message->attempts = kMostNameAttempts + 1; }));
}

TEST(NameWire, AnAnswersPartLiesInIt) {
  auto message = make<LookupAnswer>();
  EXPECT_FALSE(message.is_valid()) << "without an outcome";
  message.outcome = LookupOutcome::kAnswered;
  EXPECT_TRUE(message.is_valid());
  message.lengths[0] = 2000;
  message.offset = LookupAnswer::kPart;
  EXPECT_TRUE(message.is_valid());
  message.offset = 1;
  EXPECT_FALSE(message.is_valid());
  message.offset = 2 * LookupAnswer::kPart;
  EXPECT_FALSE(message.is_valid());
  message.offset = 0;
  message.lengths[1] = kLargestReply + 1;
  EXPECT_FALSE(message.is_valid());
}

}  // namespace
}  // namespace px::plan
