// SPDX-License-Identifier: MIT
#include "netlink/attributes.h"

#include <algorithm>
#include <cstring>

namespace px::netlink {
namespace {

// Calls with the number and the bytes of each attribute that is whole, until it has what it wants.
template <typename Wanted>
void walk(std::span<const std::byte> bytes, Wanted wanted) {
  nlattr attribute{};
  while (bytes.size() >= sizeof attribute) {
    std::memcpy(&attribute, bytes.data(), sizeof attribute);
    if (attribute.nla_len < sizeof attribute || attribute.nla_len > bytes.size()) return;
    const int number = attribute.nla_type & NLA_TYPE_MASK;
    if (wanted(number, bytes.first(attribute.nla_len).subspan(NLA_HDRLEN))) return;
    bytes = bytes.subspan(std::min<std::size_t>(bytes.size(), NLA_ALIGN(attribute.nla_len)));
  }
}

template <typename Value>
std::optional<Value> value_of(const std::optional<std::span<const std::byte>>& bytes) {
  Value value{};
  if (!bytes || bytes->size() != sizeof value) return std::nullopt;
  std::memcpy(&value, bytes->data(), sizeof value);
  return value;
}

}  // namespace

std::span<const std::byte> payload_of(const nlmsghdr& message) {
  if (message.nlmsg_len <= NLMSG_HDRLEN) return {};
  const auto* start = reinterpret_cast<const std::byte*>(&message);
  return std::span(start, message.nlmsg_len).subspan(NLMSG_HDRLEN);
}

Attributes::Attributes(const nlmsghdr& message, std::size_t header_size) {
  const auto payload = payload_of(message);
  const std::size_t start = NLMSG_ALIGN(header_size);
  if (payload.size() > start) bytes_ = payload.subspan(start);
}

std::optional<std::span<const std::byte>> Attributes::bytes(int attribute) const {
  std::optional<std::span<const std::byte>> found;
  walk(bytes_, [&](int number, std::span<const std::byte> bytes) {
    if (number == attribute) found = bytes;
    return false;  // the last one counts, as in libnl
  });
  return found;
}

std::optional<std::uint8_t> Attributes::u8(int attribute) const {
  return value_of<std::uint8_t>(bytes(attribute));
}

std::optional<std::uint16_t> Attributes::u16(int attribute) const {
  return value_of<std::uint16_t>(bytes(attribute));
}

std::optional<std::uint32_t> Attributes::u32(int attribute) const {
  return value_of<std::uint32_t>(bytes(attribute));
}

std::string Attributes::text(int attribute) const {
  const auto found = bytes(attribute);
  if (!found) return {};
  const auto* start = reinterpret_cast<const char*>(found->data());
  return {start, strnlen(start, found->size())};
}

std::optional<bundle::Address> Attributes::address(int attribute) const {
  const auto found = bytes(attribute);
  if (!found) return std::nullopt;
  return address_from_bytes(*found);
}

Attributes Attributes::nested(int attribute) const {
  return Attributes(bytes(attribute).value_or(std::span<const std::byte>()));
}

std::vector<Attributes> Attributes::list(int attribute) const {
  std::vector<Attributes> nests;
  walk(bytes(attribute).value_or(std::span<const std::byte>()),
       [&](int, std::span<const std::byte> bytes) {
         nests.emplace_back(bytes);
         return false;
       });
  return nests;
}

std::optional<bundle::Address> address_from_bytes(std::span<const std::byte> bytes) {
  bundle::Address address = bytes.size() == 4 ? bundle::ipv4_address(0) : bundle::Address{};
  if (bytes.size() != 4 && bytes.size() != address.bytes.size()) return std::nullopt;
  std::memcpy(address.bytes.data() + address.bytes.size() - bytes.size(), bytes.data(),
              bytes.size());
  return address;
}

}  // namespace px::netlink
