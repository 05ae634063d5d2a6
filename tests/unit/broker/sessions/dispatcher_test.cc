// SPDX-License-Identifier: MIT
#include "broker/sessions/dispatcher.h"

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <optional>
#include <string>

#include "broker/descriptors/descriptors.h"

namespace px::broker {
namespace {

class DispatcherTest : public testing::Test {
 protected:
  Answer::Then dispatch(std::span<const std::byte> packet) {
    handled_.clear();
    return then_of(dispatcher_.dispatch(Peer{}, packet));
  }
  Answer::Then dispatch(plan::MessageType type) {
    return dispatch(packet_of(plan::header_of(type, sizeof(plan::MessageHeader))));
  }
  Answer::Then dispatch_with_descriptor(plan::MessageType type) {
    handled_.clear();
    std::optional<Answer::Then> then;
    dispatcher_.dispatch(Peer{}, packet_of(plan::header_of(type, sizeof(plan::MessageHeader))),
                         descriptors_.brought(getuid(), nullptr),
                         [&](const Answer& answer) { then = then_of(answer); });
    EXPECT_TRUE(then);
    EXPECT_EQ(descriptors_.processes(), 0u) << "nobody has asked for it";
    return then.value_or(Answer::Then::kClose);
  }
  static Answer::Then then_of(const Answer& answer) {
    return answer.packets.empty() ? Answer::Then::kClose : answer.then;
  }
  void handle(plan::MessageType type, const std::string& name) {
    dispatcher_.add(type, [this, name](const Peer&, Packet) {
      handled_ = name;
      return acknowledgement(plan::MessageType::kLaunched);
    });
  }
  void handle_with_descriptor(plan::MessageType type, const std::string& name) {
    dispatcher_.add_with_descriptor(
        type, [this, name](const Peer&, Packet, const PassedDescriptor&, const auto& reply) {
          handled_ = name;
          reply(acknowledgement(plan::MessageType::kLaunched));
        });
  }

  asio::io_context context_;
  Descriptors descriptors_{context_};
  Dispatcher dispatcher_;
  std::string handled_;
};

TEST_F(DispatcherTest, AMessageGoesToWhoeverHasRegisteredForItsType) {
  handle(plan::MessageType::kHello, "hello");
  handle(plan::MessageType::kLaunch, "launch");
  EXPECT_EQ(dispatch(plan::MessageType::kHello), Answer::Then::kServe);
  EXPECT_EQ(handled_, "hello");
  EXPECT_EQ(dispatch(plan::MessageType::kLaunch), Answer::Then::kServe);
  EXPECT_EQ(handled_, "launch");
  EXPECT_EQ(dispatch(plan::MessageType::kMark), Answer::Then::kClose);
  EXPECT_EQ(handled_, "");
}

TEST_F(DispatcherTest, AMessageBringsTheDescriptorsThatItMay) {
  handle(plan::MessageType::kLaunch, "launch");
  handle(plan::MessageType::kHello, "hello");
  handle_with_descriptor(plan::MessageType::kHello, "hello with one");
  handle_with_descriptor(plan::MessageType::kMark, "mark");
  EXPECT_EQ(dispatch_with_descriptor(plan::MessageType::kLaunch), Answer::Then::kClose);
  EXPECT_EQ(dispatch(plan::MessageType::kHello), Answer::Then::kServe);
  EXPECT_EQ(handled_, "hello");
  EXPECT_EQ(dispatch_with_descriptor(plan::MessageType::kHello), Answer::Then::kServe);
  EXPECT_EQ(handled_, "hello with one");
  EXPECT_EQ(dispatch(plan::MessageType::kMark), Answer::Then::kClose);
  EXPECT_EQ(dispatch_with_descriptor(plan::MessageType::kMark), Answer::Then::kServe);
}

TEST_F(DispatcherTest, WhatHasNoHeaderIsNobodys) {
  handle(plan::MessageType::kHello, "hello");
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
