// SPDX-License-Identifier: MIT
#include "preload/names/resolver_calls.h"

#include <gtest/gtest.h>
#include <netdb.h>

#include <array>
#include <cerrno>
#include <vector>

#include "tests/unit/preload/names/fake_servers.h"

namespace px::shim {
namespace {

using dns::test::Reply;
using plan::LookupOutcome;

constexpr ResolverCalls::Asked kText{dns::kInternet, 16};

class ResolverCallsTest : public testing::Test {
 protected:
  FakeServers servers_;
  ResolverCalls calls_{servers_.names};
  struct __res_state state_ {};
  std::array<std::byte, 512> space_{};
};

TEST_F(ResolverCallsTest, AReplyIsHandedOnWhole) {
  const Reply reply = Reply("www.lab", 16).record("www.lab", 16, {1, 'x'});
  servers_.answer_with(LookupOutcome::kAnswered, {reply.bytes});
  EXPECT_EQ(calls_.query(&state_, "www.lab", kText, space_), static_cast<int>(reply.bytes.size()));
  EXPECT_TRUE(std::equal(reply.bytes.begin(), reply.bytes.end(), space_.begin()));
  EXPECT_EQ(servers_.asked.types[0], 16);
  EXPECT_EQ(servers_.asked.types[1], 0);
  EXPECT_EQ(servers_.asked.flags, 0);
}

TEST_F(ResolverCallsTest, OfALargeOneTheSizeIsTold) {
  Reply reply("www.lab", 16);
  for (int i = 0; i < 100; ++i) reply.record("www.lab", 16, {1, 'x'});
  servers_.answer_with(LookupOutcome::kAnswered, {reply.bytes});
  EXPECT_EQ(calls_.query(&state_, "www.lab", kText, space_), static_cast<int>(reply.bytes.size()));
  EXPECT_TRUE(dns::header_of(space_)->truncated);
  EXPECT_FALSE(dns::header_of(reply.bytes)->truncated);
}

// As the kernel cuts a datagram.
TEST_F(ResolverCallsTest, WhatADatagramHasRoomForIsCutWithoutASign) {
  Reply reply("www.lab", 16);
  for (int i = 0; i < 10; ++i) reply.record("www.lab", 16, {1, 'x'});
  servers_.answer_with(LookupOutcome::kAnswered, {reply.bytes});
  const auto small = std::span(space_).first(100);
  ASSERT_GT(reply.bytes.size(), small.size());
  EXPECT_EQ(calls_.query(&state_, "www.lab", kText, small), 100);
  EXPECT_FALSE(dns::header_of(small)->truncated);
  state_.options |= RES_USEVC;
  EXPECT_EQ(calls_.query(&state_, "www.lab", kText, small), static_cast<int>(reply.bytes.size()));
  EXPECT_TRUE(dns::header_of(small)->truncated);
}

TEST_F(ResolverCallsTest, FailuresAreLibcs) {
  const auto failure = [&](const char* name, std::size_t size = 512) {
    h_errno = 0;
    EXPECT_EQ(calls_.query(&state_, name, kText, std::span(space_).first(size)), -1);
    EXPECT_EQ(state_.res_h_errno, h_errno);
    return h_errno;
  };
  servers_.answer_with(LookupOutcome::kNoSuchName);
  EXPECT_EQ(failure("www.lab"), HOST_NOT_FOUND);
  servers_.answer_with(LookupOutcome::kNoData);
  EXPECT_EQ(failure("www.lab"), NO_DATA);
  servers_.answer_with(LookupOutcome::kTryAgain);
  EXPECT_EQ(failure("www.lab"), TRY_AGAIN);
  EXPECT_EQ(failure("a..b"), NO_RECOVERY);
  EXPECT_EQ(failure("www.lab", 11), TRY_AGAIN);
}

TEST_F(ResolverCallsTest, WhatTheProgramHasSetIsAskedFor) {
  state_.options = RES_USE_DNSSEC | RES_TRUSTAD | RES_USEVC;
  (void)calls_.query(&state_, "www.lab", kText, space_);
  EXPECT_EQ(servers_.asked.flags, plan::kLookupExtended | plan::kLookupDnssec |
                                      plan::kLookupAuthentic | plan::kLookupStream);
}

TEST_F(ResolverCallsTest, ASearchAndADomainMakeOtherNames) {
  (void)calls_.search(&state_, "www", kText, space_);
  EXPECT_NE(servers_.asked.flags & plan::kLookupSearches, 0);
  (void)calls_.query_domain(&state_, "www", "lab", kText, space_);
  EXPECT_EQ(servers_.asked_name(), "www.lab");
  EXPECT_EQ(servers_.asked.flags & plan::kLookupSearches, 0);
  (void)calls_.query_domain(&state_, "www", nullptr, kText, space_);
  EXPECT_EQ(servers_.asked_name(), "www");
}

TEST_F(ResolverCallsTest, AQuestionOfTheProgramsOwnKeepsItsNumber) {
  servers_.answer_with(LookupOutcome::kNoSuchName,
                       {Reply("www.lab", dns::kA, dns::kNoSuchName).bytes});
  const dns::Query query{.id = 0xabcd,
                         .question = {dns::test::name_of("www.lab"), dns::kA, dns::kInternet},
                         .authentic = true,
                         .extended = true,
                         .dnssec = true};
  std::array<std::byte, dns::kMostQuery> packet;
  const auto question = std::span(packet).first(dns::write_query(query, packet));
  EXPECT_GT(calls_.send(question, space_), 12) << "any reply is one";
  EXPECT_EQ(dns::header_of(space_)->id, 0xabcd);
  EXPECT_EQ(servers_.asked.flags,
            plan::kLookupExtended | plan::kLookupDnssec | plan::kLookupAuthentic);
  servers_.answer_with(LookupOutcome::kTryAgain);
  EXPECT_EQ(calls_.send(question, space_), -1);
  EXPECT_EQ(errno, ETIMEDOUT);
  EXPECT_EQ(calls_.send(question.first(5), space_), -1);
  EXPECT_EQ(errno, EINVAL);
}

}  // namespace
}  // namespace px::shim
