// SPDX-License-Identifier: MIT
#include "plan/message.h"

namespace px::plan {

std::optional<MessageHeader> parse_header(std::span<const std::byte> packet) {
  if (packet.size() < sizeof(MessageHeader)) return std::nullopt;
  MessageHeader header;
  std::memcpy(&header, packet.data(), sizeof header);
  if (header.magic != kWireMagic || header.length != packet.size()) return std::nullopt;
  return header;
}

std::optional<std::string_view> parse_text(std::span<const std::byte> packet) {
  const auto header = parse_header(packet);
  if (!header || (header->type != MessageType::kRequest && header->type != MessageType::kReply)) {
    return std::nullopt;
  }
  const auto text = packet.subspan(sizeof(MessageHeader));
  return std::string_view(reinterpret_cast<const char*>(text.data()), text.size());
}

}  // namespace px::plan
