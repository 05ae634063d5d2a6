// SPDX-License-Identifier: MIT
// Reads netlink messages: the family's fixed header, and the attributes after it by their numbers.
// Whatever is missing, or is not as long as what is asked for, is absent. Views, which the message
// must outlive. Pure; callable from any thread.
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libbundle/core/address.h"

namespace px::netlink {

// What a message carries behind its netlink header; it must be whole: nlmsg_len bytes.
[[nodiscard]] std::span<const std::byte> payload_of(const nlmsghdr& message);

// Null where the message is shorter.
template <typename Header>
[[nodiscard]] const Header* header_of(const nlmsghdr& message) {
  const auto payload = payload_of(message);
  if (payload.size() < sizeof(Header)) return nullptr;
  return reinterpret_cast<const Header*>(payload.data());
}

class Attributes {
 public:
  // Of the bytes of a nest, or of what follows a header.
  explicit Attributes(std::span<const std::byte> bytes) : bytes_(bytes) {}
  // Of a message whose fixed header is this long.
  Attributes(const nlmsghdr& message, std::size_t header_size);

  [[nodiscard]] bool has(int attribute) const { return bytes(attribute).has_value(); }
  [[nodiscard]] std::optional<std::span<const std::byte>> bytes(int attribute) const;
  [[nodiscard]] std::optional<std::uint8_t> u8(int attribute) const;
  [[nodiscard]] std::optional<std::uint16_t> u16(int attribute) const;
  [[nodiscard]] std::optional<std::uint32_t> u32(int attribute) const;
  // Up to its NUL; empty where it is absent.
  [[nodiscard]] std::string text(int attribute) const;
  // Four bytes are of IPv4, sixteen of IPv6.
  [[nodiscard]] std::optional<bundle::Address> address(int attribute) const;
  // Empty where it is absent.
  [[nodiscard]] Attributes nested(int attribute) const;
  // The nests in a nest that is a list: their own numbers mean nothing.
  [[nodiscard]] std::vector<Attributes> list(int attribute) const;

 private:
  std::span<const std::byte> bytes_;
};

// Of four bytes or sixteen.
[[nodiscard]] std::optional<bundle::Address> address_from_bytes(std::span<const std::byte> bytes);

}  // namespace px::netlink
