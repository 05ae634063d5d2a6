// SPDX-License-Identifier: MIT
// What a process remembers of the broker's answers, and what of it the broker is asked again.
#include "preload/names/recent_answers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "dns/packet.h"
#include "tests/unit/preload/names/fake_servers.h"

namespace px::shim {
namespace {

using dns::test::Reply;
using plan::LookupOutcome;

class RecentAnswersTest : public testing::Test {
 protected:
  void SetUp() override {
    servers_.lifetime_s = 60;
    servers_.answer_with(LookupOutcome::kAnswered,
                         {Reply("www.lab").address("www.lab", "10.9.0.1", 300).bytes});
  }
  LookupOutcome look_up(const char* name, std::uint16_t type = dns::kA) {
    LookupReply reply;
    return servers_.names.search(name, {.types = {type, 0}}, &reply);
  }

  FakeServers servers_;
};

TEST_F(RecentAnswersTest, TheBrokerIsAskedOnce) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(look_up("www.lab"), LookupOutcome::kAnswered);
  EXPECT_EQ(servers_.count, 1);
  LookupReply reply;
  ASSERT_EQ(servers_.names.search("www.lab", {.types = {dns::kA, 0}}, &reply),
            LookupOutcome::kAnswered);
  EXPECT_TRUE(std::ranges::equal(reply.packet(0), servers_.replies[0]));
  EXPECT_TRUE(reply.packet(1).empty());
}

TEST_F(RecentAnswersTest, AnotherQuestionIsAsked) {
  for (const char* name : {"www.lab", "www.lab.", "WWW.lab", "other.lab"}) (void)look_up(name);
  EXPECT_EQ(servers_.count, 4);
  (void)look_up("www.lab", dns::kAaaa);
  EXPECT_EQ(servers_.count, 5);
}

TEST_F(RecentAnswersTest, ThatThereIsNoSuchNameIsRemembered) {
  servers_.answer_with(LookupOutcome::kNoSuchName, {Reply("www.lab").bytes});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(look_up("www.lab"), LookupOutcome::kNoSuchName);
  EXPECT_EQ(servers_.count, 1);
}

TEST_F(RecentAnswersTest, WhatHasNoLifetimeIsAskedEachTime) {
  servers_.lifetime_s = 0;
  for (int i = 0; i < 2; ++i) (void)look_up("www.lab");
  EXPECT_EQ(servers_.count, 2);
}

TEST_F(RecentAnswersTest, ALargeAnswerIsAskedEachTime) {
  servers_.answer_with(LookupOutcome::kAnswered,
                       {std::vector<std::byte>(plan::LookupAnswer::kPart + 1)});
  for (int i = 0; i < 2; ++i) (void)look_up("www.lab");
  EXPECT_EQ(servers_.count, 2);
}

TEST_F(RecentAnswersTest, ASearchListOfTheProgramIsAskedEachTime) {
  ::setenv("LOCALDOMAIN", "lab", 1);
  for (int i = 0; i < 2; ++i) (void)look_up("www");
  ::unsetenv("LOCALDOMAIN");
  EXPECT_EQ(servers_.count, 2);
}

TEST_F(RecentAnswersTest, AChangedPlanEndsIt) {
  (void)look_up("www.lab");
  servers_.broker.plan.names.timeout_s = 7;
  servers_.broker.plan.publish_without_rules();
  (void)look_up("www.lab");
  EXPECT_EQ(servers_.count, 2);
}

TEST_F(RecentAnswersTest, AChangeOfTheHostOrOfServersEndsIt) {
  (void)look_up("www.lab");
  servers_.broker.plan.header().health.epoch.fetch_add(1);
  (void)look_up("www.lab");
  EXPECT_EQ(servers_.count, 2);
}

TEST_F(RecentAnswersTest, ABrokerThatHasStoppedEndsIt) {
  (void)look_up("www.lab");
  servers_.broker.plan.header().heartbeat.store(1);
  (void)look_up("www.lab");
  EXPECT_EQ(servers_.count, 2);
}

class RecentAnswersTableTest : public RecentAnswersTest {
 protected:
  static plan::Lookup question(const char* name) {
    auto lookup = plan::make<plan::Lookup>();
    lookup.types[0] = dns::kA;
    const auto parsed = dns::Name::from_text(name);
    const auto wire = parsed->wire();
    std::ranges::copy(wire, lookup.name);
    lookup.name_length = static_cast<std::uint8_t>(wire.size());
    return lookup;
  }
  void remember(const char* name, std::int64_t at_ms) {
    LookupReply reply;
    ASSERT_TRUE(FakeServers::request(servers_.shim.settings, {}, question(name), 0, &reply));
    table_->remember(kEra, question(name), reply, at_ms);
  }
  // The time that is left to the record; nothing where it has to be asked for.
  std::optional<std::uint32_t> left(const char* name, std::int64_t at_ms,
                                    const RecentAnswers::Era& era = kEra) {
    LookupReply reply;
    if (!table_->find(era, question(name), at_ms, &reply)) return std::nullopt;
    return dns::Records(reply.packet(0)).next()->ttl;
  }

  static constexpr RecentAnswers::Era kEra{1, 2, 3};
  std::unique_ptr<RecentAnswers> table_ = std::make_unique<RecentAnswers>();
};

TEST_F(RecentAnswersTableTest, TimeIsTakenFromTheRecordsAndEndsTheAnswer) {
  EXPECT_EQ(left("www.lab", 1000), std::nullopt);
  remember("www.lab", 1000);
  EXPECT_EQ(left("www.lab", 1000), 300u);
  EXPECT_EQ(left("www.lab", 11'500), 290u);
  EXPECT_EQ(left("www.lab", 60'999), 241u);
  EXPECT_EQ(left("www.lab", 61'000), std::nullopt);
  EXPECT_EQ(left("www.lab", 999), std::nullopt) << "another boot's clock";
}

TEST_F(RecentAnswersTableTest, AnotherErasAnswerIsNone) {
  remember("www.lab", 0);
  EXPECT_EQ(left("www.lab", 0, {9, 2, 3}), std::nullopt);
  EXPECT_EQ(left("www.lab", 0, {1, 9, 3}), std::nullopt);
  EXPECT_EQ(left("www.lab", 0, {1, 2, 9}), std::nullopt);
  EXPECT_EQ(left("www.lab", 0), 300u);
}

TEST_F(RecentAnswersTableTest, WhatIsInUseStays) {
  remember("used.lab", 0);
  std::size_t kept = 0;
  constexpr int kMany = 8 * RecentAnswers::kPlaces * RecentAnswers::kWays;
  for (int i = 0; i < kMany; ++i) {
    remember(("n" + std::to_string(i) + ".lab").c_str(), 0);
    ASSERT_EQ(left("used.lab", 0), 300u) << i;
  }
  for (int i = 0; i < kMany; ++i)
    kept += left(("n" + std::to_string(i) + ".lab").c_str(), 0) ? 1 : 0;
  EXPECT_GT(kept, RecentAnswers::kPlaces);
  EXPECT_LT(kept, RecentAnswers::kPlaces * RecentAnswers::kWays);
}

}  // namespace
}  // namespace px::shim
