// SPDX-License-Identifier: MIT
#include "broker/sessions/dispatcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace px::broker {
namespace {

class DispatcherTest : public testing::Test {
 protected:
  Answer::Then dispatch(std::span<const std::byte> packet, const Fd& descriptor = Fd()) {
    handled_.clear();
    const Answer answer = dispatcher_.dispatch(Peer{}, {packet, descriptor});
    return answer.packets.empty() ? Answer::Then::kClose : answer.then;
  }
  Answer::Then dispatch(plan::MessageType type, const Fd& descriptor = Fd()) {
    return dispatch(packet_of(plan::header_of(type, sizeof(plan::MessageHeader))), descriptor);
  }
  void handle(plan::MessageType type, Brings brings, const std::string& name) {
    dispatcher_.add(type, brings, [this, name](const Peer&, const Message&) {
      handled_ = name;
      return acknowledgement(plan::MessageType::kLaunched);
    });
  }

  Dispatcher dispatcher_;
  std::string handled_;
};

TEST_F(DispatcherTest, AMessageGoesToWhoeverHasRegisteredForItsType) {
  handle(plan::MessageType::kHello, Brings::kNone, "hello");
  handle(plan::MessageType::kLaunch, Brings::kNone, "launch");
  EXPECT_EQ(dispatch(plan::MessageType::kHello), Answer::Then::kServe);
  EXPECT_EQ(handled_, "hello");
  EXPECT_EQ(dispatch(plan::MessageType::kLaunch), Answer::Then::kServe);
  EXPECT_EQ(handled_, "launch");
  EXPECT_EQ(dispatch(plan::MessageType::kMark), Answer::Then::kClose);
  EXPECT_EQ(handled_, "");
}

TEST_F(DispatcherTest, AMessageBringsTheDescriptorsThatItMay) {
  handle(plan::MessageType::kLaunch, Brings::kNone, "none");
  handle(plan::MessageType::kHello, Brings::kPerhapsOne, "perhaps");
  handle(plan::MessageType::kMark, Brings::kOne, "one");
  const Fd one(dup(STDERR_FILENO));
  EXPECT_EQ(dispatch(plan::MessageType::kLaunch), Answer::Then::kServe);
  EXPECT_EQ(dispatch(plan::MessageType::kLaunch, one), Answer::Then::kClose);
  EXPECT_EQ(dispatch(plan::MessageType::kHello), Answer::Then::kServe);
  EXPECT_EQ(dispatch(plan::MessageType::kHello, one), Answer::Then::kServe);
  EXPECT_EQ(dispatch(plan::MessageType::kMark), Answer::Then::kClose);
  EXPECT_EQ(dispatch(plan::MessageType::kMark, one), Answer::Then::kServe);
}

TEST_F(DispatcherTest, WhatHasNoHeaderIsNobodys) {
  handle(plan::MessageType::kHello, Brings::kNone, "hello");
  EXPECT_EQ(dispatch(std::vector<std::byte>(1)), Answer::Then::kClose);
  const auto header = plan::header_of(plan::MessageType::kHello, sizeof(plan::MessageHeader) + 1);
  EXPECT_EQ(dispatch(packet_of(header)), Answer::Then::kClose);
  EXPECT_EQ(handled_, "");
}

TEST(Answer, ATextIsCutIntoPacketsOfWhichTheLastSaysSo) {
  const std::string text(200000, 'x');
  const Answer answer = text_answer(text);
  ASSERT_EQ(answer.packets.size(), 4u);
  std::string joined;
  for (const auto& packet : answer.packets) {
    EXPECT_LE(packet.size(), plan::kLargestMessage);
    joined += plan::parse_text(packet).value_or("");
    const bool more = (plan::parse_header(packet)->flags & plan::kMoreFollows) != 0;
    EXPECT_EQ(more, &packet != &answer.packets.back());
  }
  EXPECT_EQ(joined, text);
  EXPECT_EQ(text_answer("").packets.size(), 1u);
}

}  // namespace
}  // namespace px::broker
