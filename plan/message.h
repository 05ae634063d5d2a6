// SPDX-License-Identifier: MIT
// Messages between programs, px-exec, pxctl and the broker: SOCK_SEQPACKET on a Unix socket, one
// message a packet, native byte order, fixed sizes but for the text of control messages. Whoever
// receives a packet that does not parse closes the connection; docs/protocol.md tells it in prose.
// A new message is a row of messages.def, a structure in wire.h that says what is valid, and a
// handler in the broker. Parsing is pure; callable from any thread and from signal handlers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace px::plan {

inline constexpr std::uint32_t kWireMagic = 0x31575850;  // "PXW1"
inline constexpr std::size_t kLargestMessage = std::size_t{64} * 1024;

// kHello, kWelcome and so on.
enum class MessageType : std::uint16_t {
#define PX_MESSAGE(number, name) k##name = (number),
#define PX_EMPTY_MESSAGE(number, name) k##name = (number),
#define PX_TEXT_MESSAGE(number, name) k##name = (number),
#include "plan/messages.def"
};

inline constexpr std::uint16_t kMoreFollows = 1;

struct MessageHeader {
  std::uint32_t magic;
  MessageType type;
  std::uint16_t flags;
  std::uint32_t length;  // of the whole packet, this header included
};

[[nodiscard]] constexpr MessageHeader header_of(MessageType type, std::size_t length,
                                                std::uint16_t flags = 0) {
  return {kWireMagic, type, flags, static_cast<std::uint32_t>(length)};
}

// A well-formed header whose length is the packet's; nothing otherwise.
[[nodiscard]] std::optional<MessageHeader> parse_header(std::span<const std::byte> packet);

// The text after the header of a kRequest or kReply packet; nothing for any other packet. The view
// points into the packet.
[[nodiscard]] std::optional<std::string_view> parse_text(std::span<const std::byte> packet);

// The type of each structure in messages.def.
template <typename Message>
inline constexpr MessageType kTypeOf{};
#define PX_MESSAGE(number, name) \
  struct name;                   \
  template <>                    \
  inline constexpr MessageType kTypeOf<name> = MessageType::k##name;
#define PX_EMPTY_MESSAGE(number, name)                             \
  struct name {                                                    \
    MessageHeader header;                                          \
    [[nodiscard]] constexpr bool is_valid() const { return true; } \
  };                                                               \
  template <>                                                      \
  inline constexpr MessageType kTypeOf<name> = MessageType::k##name;
#define PX_TEXT_MESSAGE(number, name)
#include "plan/messages.def"

// A message to fill in: its header is complete, all else is 0.
template <typename Message>
[[nodiscard]] constexpr Message make() {
  static_assert(kTypeOf<Message> != MessageType{}, "not in messages.def");
  Message message{};
  message.header = header_of(kTypeOf<Message>, sizeof message);
  return message;
}

// The message, if the packet is exactly one of that type and its values are valid; nothing
// otherwise.
template <typename Message>
[[nodiscard]] std::optional<Message> parse(std::span<const std::byte> packet) {
  static_assert(kTypeOf<Message> != MessageType{}, "not in messages.def");
  static_assert(std::is_trivially_copyable_v<Message> && offsetof(Message, header) == 0);
  const auto header = parse_header(packet);
  if (!header || header->type != kTypeOf<Message> || packet.size() != sizeof(Message)) {
    return std::nullopt;
  }
  Message message;
  std::memcpy(&message, packet.data(), sizeof message);
  if (!message.is_valid()) return std::nullopt;
  return message;
}

// The same without a copy, for large messages: null or the packet's own bytes, which must be
// aligned for the message.
template <typename Message>
[[nodiscard]] const Message* view(std::span<const std::byte> packet) {
  static_assert(kTypeOf<Message> != MessageType{}, "not in messages.def");
  const auto header = parse_header(packet);
  if (!header || header->type != kTypeOf<Message> || packet.size() != sizeof(Message)) {
    return nullptr;
  }
  const auto* message = reinterpret_cast<const Message*>(packet.data());
  return message->is_valid() ? message : nullptr;
}

}  // namespace px::plan
