// SPDX-License-Identifier: MIT
// What is true of every message, for each in messages.def.
#include "plan/message.h"

#include <gtest/gtest.h>

#include <cstring>
#include <iterator>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "plan/all_messages.h"

namespace px::plan {
namespace {

// A message whose values are in their ranges.
template <typename Message>
Message valid() {
  auto message = make<Message>();
  if constexpr (requires { message.profile; }) fill_text(message.profile, "work");
  if constexpr (requires { message.coverage; }) message.coverage = Coverage::kCovered;
  if constexpr (requires { message.port; }) message.port = 80;
  if constexpr (requires { message.count; }) message.count = 1;
  if constexpr (requires { message.types; }) message.types[0] = 1;
  if constexpr (requires { message.name_length; }) message.name_length = 1;
  if constexpr (requires { message.outcome; }) message.outcome = LookupOutcome::kNoData;
  return message;
}

template <typename Message>
std::vector<std::byte> bytes_of(const Message& message) {
  const auto bytes = std::as_bytes(std::span(&message, 1));
  return {bytes.begin(), bytes.end()};
}

TEST(Message, EachIsReadAsItselfAlone) {
  for_each_message([]<typename Sent>(std::string_view sent) {
    const auto packet = bytes_of(valid<Sent>());
    for_each_message([&]<typename Read>(std::string_view read) {
      const bool same = std::is_same_v<Sent, Read>;
      EXPECT_EQ(parse<Read>(packet).has_value(), same) << sent << " as " << read;
    });
    EXPECT_FALSE(parse_text(packet)) << sent;
  });
}

TEST(Message, OfAnotherLengthItIsNotRead) {
  for_each_message([]<typename Message>(std::string_view name) {
    auto packet = bytes_of(valid<Message>());
    EXPECT_FALSE(parse<Message>(std::span(packet).first(packet.size() - 1))) << name;
    packet.emplace_back();
    EXPECT_FALSE(parse<Message>(packet)) << name;
    const auto header = header_of(kTypeOf<Message>, packet.size());
    std::memcpy(packet.data(), &header, sizeof header);
    EXPECT_FALSE(parse<Message>(packet)) << name << ", though its header says so";
    EXPECT_FALSE(parse<Message>({})) << name;
  });
}

TEST(Message, AProfilesNameMustEnd) {
  for_each_message([]<typename Message>(std::string_view name) {
    if constexpr (requires(Message message) { message.profile; }) {
      auto message = valid<Message>();
      std::memset(message.profile, 'a', sizeof message.profile);
      EXPECT_FALSE(parse<Message>(bytes_of(message))) << name;
      fill_text(message.profile, "../etc");
      EXPECT_FALSE(parse<Message>(bytes_of(message))) << name;
    }
  });
}

TEST(Message, NumbersAreNotReused) {
  std::vector<std::string> names;
#define PX_MESSAGE(number, name)                \
  EXPECT_EQ(number, names.size() + 1) << #name; \
  names.push_back(#name);
#define PX_EMPTY_MESSAGE PX_MESSAGE
#define PX_TEXT_MESSAGE PX_MESSAGE
#include "plan/messages.def"
  EXPECT_GE(names.size(), 12u);
}

}  // namespace
}  // namespace px::plan
