// SPDX-License-Identifier: MIT
#include "plan/wire.h"

#include <algorithm>
#include <cstring>

namespace px::plan {
namespace {

template <typename Message>
std::optional<Message> parse_fixed(std::span<const std::byte> packet, MessageType type) {
  const auto header = parse_header(packet);
  if (!header || header->type != type || packet.size() != sizeof(Message)) return std::nullopt;
  Message message;
  std::memcpy(&message, packet.data(), sizeof message);
  return message;
}

// The text of a fixed field; nothing if its NUL is missing.
std::optional<std::string_view> text_of(std::span<const char> field) {
  const auto end = std::find(field.begin(), field.end(), '\0');
  if (end == field.end()) return std::nullopt;
  return std::string_view(field.data(), static_cast<std::size_t>(end - field.begin()));
}

bool valid_profile_field(std::span<const char> field) {
  const auto name = text_of(field);
  return name && valid_profile_name(*name);
}

bool valid_or_no_profile(std::span<const char> field) {
  return field.front() == '\0' || valid_profile_field(field);
}

}  // namespace

std::optional<MessageHeader> parse_header(std::span<const std::byte> packet) {
  if (packet.size() < sizeof(MessageHeader)) return std::nullopt;
  MessageHeader header;
  std::memcpy(&header, packet.data(), sizeof header);
  if (header.magic != kWireMagic || header.length != packet.size()) return std::nullopt;
  return header;
}

std::optional<Hello> parse_hello(std::span<const std::byte> packet) {
  const auto hello = parse_fixed<Hello>(packet, MessageType::kHello);
  return hello && valid_or_no_profile(hello->profile) ? hello : std::nullopt;
}

std::optional<Welcome> parse_welcome(std::span<const std::byte> packet) {
  const auto welcome = parse_fixed<Welcome>(packet, MessageType::kWelcome);
  return welcome && valid_or_no_profile(welcome->profile) ? welcome : std::nullopt;
}

std::optional<Refusal> parse_refusal(std::span<const std::byte> packet) {
  const auto refusal = parse_fixed<Refusal>(packet, MessageType::kRefusal);
  return refusal && text_of(refusal->reason) ? refusal : std::nullopt;
}

std::optional<Mark> parse_mark(std::span<const std::byte> packet) {
  return parse_fixed<Mark>(packet, MessageType::kMark);
}

std::optional<Launch> parse_launch(std::span<const std::byte> packet) {
  const auto launch = parse_fixed<Launch>(packet, MessageType::kLaunch);
  if (!launch || !valid_profile_field(launch->profile) || !text_of(launch->why_uncovered)) {
    return std::nullopt;
  }
  if (launch->coverage != Coverage::kCovered && launch->coverage != Coverage::kUncovered) {
    return std::nullopt;
  }
  return launch;
}

std::optional<std::string_view> parse_text(std::span<const std::byte> packet) {
  const auto header = parse_header(packet);
  if (!header || (header->type != MessageType::kRequest && header->type != MessageType::kReply)) {
    return std::nullopt;
  }
  const auto text = packet.subspan(sizeof(MessageHeader));
  return std::string_view(reinterpret_cast<const char*>(text.data()), text.size());
}

bool valid_profile_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() < kProfileNameSize && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), allowed);
}

void fill_text(std::span<char> field, std::string_view text) {
  const std::size_t length = std::min(text.size(), field.size() - 1);
  std::copy_n(text.begin(), length, field.begin());
  std::fill(field.begin() + static_cast<std::ptrdiff_t>(length), field.end(), '\0');
}

}  // namespace px::plan
