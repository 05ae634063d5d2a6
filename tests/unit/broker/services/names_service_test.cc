// SPDX-License-Identifier: MIT
#include "broker/services/names_service.h"

#include "broker/names/lookups.h"
#include "tests/unit/broker/services/services_fixture.h"

namespace px::broker {
namespace {

using test::reason_of;

class NamesServiceTest : public test::ServicesTest {
 protected:
  NamesServiceTest() {
    service.register_with(dispatcher);
    publish(
        "paths: { vpn: { interface: px-none0 } }\n"
        "profiles: { work: { dns: { via: vpn, servers: [10.0.0.53] } }, play: }");
    (void)lookups.follow(in_force.policy, in_force.snapshot, {});
  }

  static plan::Lookup lookup() {
    auto message = plan::make<plan::Lookup>();
    message.types[0] = 1;
    message.name_length = 1;
    return message;
  }

  Lookups lookups{context};
  NamesService service{{sessions, lookups}};
};

TEST_F(NamesServiceTest, OnlyAProgramThatHasSaidHelloIsAnswered) {
  EXPECT_EQ(reason_of(send(lookup()), plan::RefusalCode::kNotAllowed),
            "the process has not said hello");
}

TEST_F(NamesServiceTest, OnlyAProfileWithServersHasNamesLookedUp) {
  say_hello("play");
  EXPECT_EQ(reason_of(send(lookup()), plan::RefusalCode::kNotAllowed),
            "the profile 'play' has no name servers (any more)");
}

TEST_F(NamesServiceTest, TheAnswerComesLater) {
  say_hello("work");
  const Answer answer = send(lookup());
  ASSERT_TRUE(answer.later);
  std::optional<Answer> later;
  answer.later([&](Answer given) { later = std::move(given); });
  EXPECT_FALSE(later);
  while (!later && context.run_one_for(std::chrono::seconds(20)) != 0) {
  }
  ASSERT_TRUE(later);
  EXPECT_EQ(test::answered<plan::LookupAnswer>(*later).outcome, plan::LookupOutcome::kTryAgain)
      << "the server cannot be reached";
}

TEST_F(NamesServiceTest, WhatIsNoLookupHasNoAnswer) {
  say_hello("work");
  auto message = lookup();
  message.name_length = 2;
  EXPECT_TRUE(send(message).packets.empty());
}

TEST(LookupAnswer, LargeRepliesTakeSeveralPackets) {
  LookupResult result;
  result.outcome = plan::LookupOutcome::kAnswered;
  result.replies[0] = Channel::Reply(5000, std::byte{1});
  result.replies[1] = Channel::Reply(4000, std::byte{2});
  const Answer answer = lookup_answer(result);
  ASSERT_EQ(answer.packets.size(),
            (9000 + plan::LookupAnswer::kPart - 1) / plan::LookupAnswer::kPart);
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < answer.packets.size(); ++i) {
    const auto part = plan::parse<plan::LookupAnswer>(answer.packets[i]);
    ASSERT_TRUE(part) << i;
    EXPECT_EQ(part->offset, bytes.size());
    EXPECT_EQ(part->header.flags, i + 1 < answer.packets.size() ? plan::kMoreFollows : 0);
    const std::size_t count = std::min(part->size() - bytes.size(), plan::LookupAnswer::kPart);
    bytes.insert(bytes.end(), part->bytes, part->bytes + count);
  }
  EXPECT_EQ(bytes.size(), 9000u);
  EXPECT_EQ(bytes[4999], 1);
  EXPECT_EQ(bytes[5000], 2);
  EXPECT_EQ(lookup_answer({}).packets.size(), 1u) << "without a reply, too";
}

}  // namespace
}  // namespace px::broker
