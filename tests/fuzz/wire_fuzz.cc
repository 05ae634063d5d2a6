// SPDX-License-Identifier: MIT
// Any bytes as a packet: at most one kind of message, and nothing of it unterminated.
#include <algorithm>
#include <iterator>
#include <type_traits>

#include "plan/all_messages.h"
#include "tests/fuzz/fuzz_target.h"

namespace px::plan {
namespace {

using fuzz::require;

bool terminated(std::span<const char> field) {
  return std::find(field.begin(), field.end(), '\0') != field.end();
}

bool valid_or_empty(std::span<const char> profile) {
  return terminated(profile) && (profile.front() == '\0' || valid_profile_name(profile.data()));
}

template <typename Message>
void check(const Message& message) {
  require(message.header.type == kTypeOf<Message> && message.header.length == sizeof message);
  if constexpr (requires { message.reason; }) require(terminated(message.reason));
  if constexpr (requires { message.why_uncovered; }) require(terminated(message.why_uncovered));
  if constexpr (requires { message.profile; }) require(valid_or_empty(message.profile));
  if constexpr (requires { message.port; }) require(message.port != 0);
  if constexpr (requires { message.alive; }) require(message.alive <= 1);
  if constexpr (requires { message.members; }) {
    require(message.count >= 1 && message.count <= std::size(message.members));
  }
  if constexpr (requires { message.search; }) {
    require(message.search_length <= sizeof message.search);
    require(dns::Name::from_wire(std::span(message.name).first(message.name_length)).has_value());
  }
  if constexpr (requires { message.outcome; }) {
    require(message.offset <= message.size() && message.size() <= 2 * kLargestReply);
  }
  constexpr bool kNeedsProfile =
      std::is_same_v<Message, Launch> || std::is_same_v<Message, HealthReport>;
  if constexpr (kNeedsProfile) require(message.profile[0] != '\0');
}

void parse_all(std::span<const std::byte> packet) {
  const auto header = parse_header(packet);
  const auto text = parse_text(packet);
  int messages = text.has_value() ? 1 : 0;
  for_each_message([&]<typename Message>(std::string_view /*name*/) {
    const auto message = parse<Message>(packet);
    if (!message) return;
    ++messages;
    check(*message);
  });
  require(messages <= (header ? 1 : 0));
  if (header) require(header->length == packet.size());
  if (text) require(text->size() == packet.size() - sizeof(MessageHeader));
}

}  // namespace
}  // namespace px::plan

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  px::plan::parse_all(std::as_bytes(std::span(data, size)));
  return 0;
}
