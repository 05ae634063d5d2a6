// SPDX-License-Identifier: MIT
#include "preload/names/answer_records.h"

#include <gtest/gtest.h>

#include "tests/unit/dns/packet_fixture.h"

namespace px::shim {
namespace {

using dns::test::Reply;
using dns::test::text_of;

TEST(AnswerRecords, OnlyTheAskedTypeOfTheNameItselfCounts) {
  const Reply reply = Reply("WWW.lab")
                          .address("www.lab", "2001:db8::1")
                          .address("other.lab", "10.0.0.9")
                          .address("www.LAB", "10.0.0.1", 20)
                          .address("www.lab", "10.0.0.2", 10);
  AnswerRecords records(reply.bytes, dns::kA);
  EXPECT_EQ(std::to_integer<int>(records.next()->data[3]), 1);
  EXPECT_EQ(std::to_integer<int>(records.next()->data[3]), 2);
  EXPECT_FALSE(records.next());
  EXPECT_EQ(text_of(records.canonical()), "WWW.lab") << "as it was asked";
  EXPECT_EQ(records.ttl(), 10u);
}

TEST(AnswerRecords, AChainIsFollowed) {
  const Reply reply = Reply("a.lab")
                          .name("a.lab", dns::kCname, "b.lab", 5)
                          .name("b.lab", dns::kCname, "c.lab")
                          .address("c.lab", "10.0.0.1");
  AnswerRecords records(reply.bytes, dns::kA);
  EXPECT_TRUE(records.next());
  EXPECT_EQ(text_of(records.canonical()), "c.lab");
  EXPECT_EQ(records.ttl(), 5u);
  AnswerRecords aliases(reply.bytes, dns::kCname);
  EXPECT_TRUE(aliases.next()) << "who asks for the alias gets it";
}

TEST(AnswerRecords, AnEmptyPacketHasNone) {
  AnswerRecords records({}, dns::kA);
  EXPECT_FALSE(records.next());
}

}  // namespace
}  // namespace px::shim
