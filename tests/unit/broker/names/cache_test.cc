// SPDX-License-Identifier: MIT
#include "broker/names/cache.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/dns/packet_fixture.h"

namespace px::broker {
namespace {

using dns::test::Reply;
using namespace std::chrono_literals;

constexpr std::uint16_t kText = 16;

// A zone's own numbers, of which the last is how long its silence is to be believed.
std::vector<std::uint8_t> soa(std::uint32_t minimum) {
  std::vector<std::uint8_t> data{0, 0};  // its server and keeper: the root
  for (int i = 0; i < 16; ++i) data.push_back(0);
  for (int shift = 24; shift >= 0; shift -= 8) {
    data.push_back(static_cast<std::uint8_t>(minimum >> shift));
  }
  return data;
}

std::uint32_t ttl_of(std::span<const std::byte> reply) {
  dns::Records records(reply);
  const auto record = records.next();
  return record ? record->ttl : 0;
}

TEST(CacheLifetime, RecordsLiveAsLongAsTheShortestOfThem) {
  EXPECT_EQ(lifetime_of(Reply("a").address("a", "10.0.0.1", 60).address("a", "10.0.0.2", 30).bytes),
            30u);
  EXPECT_EQ(lifetime_of(Reply("a").address("a", "10.0.0.1", 0).bytes), 0u);
  EXPECT_EQ(lifetime_of(Reply("a").address("a", "10.0.0.1", 10'000'000).bytes), 24 * 3600u);
}

TEST(CacheLifetime, WhatIsNotThereIsKeptAsItsZoneSays) {
  EXPECT_EQ(
      lifetime_of(
          Reply("a", dns::kA, dns::kNoSuchName).authority("lab", dns::kSoa, soa(20), 60).bytes),
      20u);
  EXPECT_EQ(lifetime_of(Reply("a").authority("lab", dns::kSoa, soa(60), 5).bytes), 5u);
  EXPECT_EQ(lifetime_of(Reply("a").authority("lab", dns::kSoa, soa(100'000), 100'000).bytes),
            3600u);
  EXPECT_EQ(lifetime_of(Reply("a", dns::kA, dns::kNoSuchName).bytes), 0u)
      << "nobody says for how long";
}

TEST(CacheLifetime, FailuresAreNotKept) {
  for (const std::uint8_t rcode : {dns::kServerFailure, dns::kRefused, dns::kFormatError}) {
    EXPECT_EQ(lifetime_of(Reply("a", dns::kA, rcode).authority("lab", dns::kSoa, soa(60)).bytes),
              0u);
  }
  Reply cut = Reply("a").address("a", "10.0.0.1");
  EXPECT_EQ(lifetime_of(std::span(cut.bytes).first(cut.bytes.size() - 1)), 0u);
  cut.bytes[2] |= std::byte{2};
  EXPECT_EQ(lifetime_of(cut.bytes), 0u) << "truncated";
  EXPECT_EQ(lifetime_of({}), 0u);
}

class CacheTest : public testing::Test {
 protected:
  static Cache::Key key(const std::string& question, const std::string& servers = "one") {
    return {.question = question, .servers = servers};
  }
  std::chrono::steady_clock::time_point now_{1h};
  Cache cache_{{.bytes = 20'000, .bytes_per_user = 10'000}, [this] { return now_; }};
  const std::vector<std::byte> reply_ = Reply("a").address("a", "10.0.0.1", 60).bytes;
};

TEST_F(CacheTest, AnAnswerAgesAndEnds) {
  EXPECT_FALSE(cache_.find(key("a")));
  cache_.keep(key("a"), 1, reply_);
  now_ += 25s;
  ASSERT_TRUE(cache_.find(key("a")));
  EXPECT_EQ(ttl_of(cache_.find(key("a"))->reply), 35u);
  now_ += 34s;
  EXPECT_TRUE(cache_.find(key("a")));
  now_ += 1s;
  EXPECT_FALSE(cache_.find(key("a")));
  EXPECT_EQ(cache_.bytes(), 0u);
}

TEST_F(CacheTest, OtherServersHaveOtherAnswers) {
  cache_.keep(key("a", "one"), 1, reply_);
  EXPECT_FALSE(cache_.find(key("a", "two")));
  cache_.keep(key("a", "two"), 1, reply_);
  cache_.keep_only([](const std::string& servers) { return servers == "two"; });
  EXPECT_FALSE(cache_.find(key("a", "one")));
  EXPECT_TRUE(cache_.find(key("a", "two")));
}

TEST_F(CacheTest, AUserWhoFillsItLosesTheOldestOfTheirOwn) {
  cache_.keep(key("of another"), 2, reply_);
  for (int i = 0; i < 200; ++i) {
    cache_.keep(key(std::to_string(i)), 1, reply_);
    (void)cache_.find(key("0"));
  }
  EXPECT_TRUE(cache_.find(key("of another")));
  EXPECT_TRUE(cache_.find(key("0"))) << "it is in use";
  EXPECT_FALSE(cache_.find(key("1")));
  EXPECT_TRUE(cache_.find(key("199")));
  EXPECT_LE(cache_.bytes(), 11'000u);
}

TEST_F(CacheTest, OfAllUsersTheOneWithTheMostMakesRoom) {
  cache_.keep(key("small"), 9, reply_);
  for (uid_t user = 1; user <= 4; ++user) {
    for (int i = 0; i < 50; ++i) {
      cache_.keep(key(std::to_string(user) + "/" + std::to_string(i)), user, reply_);
    }
  }
  EXPECT_LE(cache_.bytes(), 20'000u);
  EXPECT_TRUE(cache_.find(key("small")));
}

TEST_F(CacheTest, WhatIsTooLargeIsNotKept) {
  Reply large("a", kText);
  for (int i = 0; i < 1000; ++i) large.record("a", kText, {1, 'x'});
  cache_.keep(key("a"), 1, large.bytes);
  EXPECT_EQ(cache_.size(), 0u);
}

TEST_F(CacheTest, ANewAnswerTakesTheOldOnesPlace) {
  cache_.keep(key("a"), 1, reply_);
  cache_.keep(key("a"), 2, Reply("a").address("a", "10.0.0.2", 10).bytes);
  EXPECT_EQ(cache_.size(), 1u);
  EXPECT_EQ(ttl_of(cache_.find(key("a"))->reply), 10u);
}

}  // namespace
}  // namespace px::broker
