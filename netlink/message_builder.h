// SPDX-License-Identifier: MIT
// A netlink request that grows attribute by attribute: the family's fixed header, then what it is
// about. Numbers are in host byte order, as the kernel has them. Owns its bytes; single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>

#include "libbundle/core/address.h"

struct nl_msg;

namespace px::netlink {

class MessageBuilder {
 public:
  // `type`: the family's number of the request; `flags`: of NLM_F_*, what a request of any kind has
  // apart.
  template <typename Header>
  MessageBuilder(int type, int flags, const Header& header) : MessageBuilder(type, flags) {
    static_assert(std::is_trivially_copyable_v<Header>);
    append(std::as_bytes(std::span(&header, 1)));
  }

  void put_u8(int attribute, std::uint8_t value) { put_value(attribute, value); }
  void put_u16(int attribute, std::uint16_t value) { put_value(attribute, value); }
  void put_u32(int attribute, std::uint32_t value) { put_value(attribute, value); }
  // With the NUL at its end.
  void put_text(int attribute, const std::string& text);
  // In the family's size: four bytes for IPv4, sixteen for IPv6, which may be v4-mapped.
  void put_address(int attribute, const bundle::Address& address, bool ipv4);
  void put_bytes(int attribute, std::span<const std::byte> bytes);
  // What `fill` puts goes into this attribute.
  template <typename Fill>
  void put_nested(int attribute, Fill fill) {
    void* const nest = begin_nest(attribute);
    fill();
    end_nest(nest);
  }

  // Null where something did not fit: a message holds a page.
  [[nodiscard]] nl_msg* get() const { return is_whole_ ? message_.get() : nullptr; }

 private:
  struct FreeMessage {
    void operator()(nl_msg* message) const;
  };

  MessageBuilder(int type, int flags);
  void append(std::span<const std::byte> header);
  template <typename Value>
  void put_value(int attribute, Value value) {
    put_bytes(attribute, std::as_bytes(std::span(&value, 1)));
  }
  [[nodiscard]] void* begin_nest(int attribute);
  void end_nest(void* nest);

  std::unique_ptr<nl_msg, FreeMessage> message_;
  bool is_whole_ = false;
};

}  // namespace px::netlink
