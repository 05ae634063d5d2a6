// SPDX-License-Identifier: MIT
// DNS packets for tests, written part by part. A value.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dns/packet.h"
#include "libbundle/core/address.h"

namespace px::dns::test {

inline Name name_of(std::string_view text) {
  const auto name = Name::from_text(text);
  EXPECT_TRUE(name) << text;
  return name.value_or(Name());
}

inline std::string text_of(const Name& name) {
  std::array<char, kNameTextSize> buffer;
  return std::string(name.text(buffer));
}

class Reply {
 public:
  // The header and question of a reply to this name; no answers yet.
  explicit Reply(std::string_view name, std::uint16_t type = kA, std::uint8_t rcode = kNoError) {
    put({0, 7, 0x81, static_cast<std::uint8_t>(0x80 | rcode), 0, 1, 0, 0, 0, 0, 0, 0});
    put_name(name);
    put_number(type);
    put_number(kInternet);
  }

  Reply& record(std::string_view owner, std::uint16_t type, const std::vector<std::uint8_t>& data,
                std::uint32_t ttl = 60) {
    put_name(owner);
    put_number(type);
    put_number(kInternet);
    put_number(static_cast<std::uint16_t>(ttl >> 16));
    put_number(static_cast<std::uint16_t>(ttl));
    put_number(static_cast<std::uint16_t>(data.size()));
    for (const std::uint8_t byte : data) bytes.push_back(static_cast<std::byte>(byte));
    count(6);
    return *this;
  }
  // Of the authority section: behind all answers.
  Reply& authority(std::string_view owner, std::uint16_t type,
                   const std::vector<std::uint8_t>& data, std::uint32_t ttl = 60) {
    record(owner, type, data, ttl);
    count(6, -1);
    count(8);
    return *this;
  }
  Reply& address(std::string_view owner, std::string_view text, std::uint32_t ttl = 60) {
    const auto parsed = bundle::address_from_text(text);
    EXPECT_TRUE(parsed) << text;
    const auto& all = parsed->bytes;
    const auto* begin = all.data() + (parsed->is_ipv4() ? 12 : 0);
    return record(owner, parsed->is_ipv4() ? kA : kAaaa, {begin, all.data() + 16}, ttl);
  }
  Reply& name(std::string_view owner, std::uint16_t type, std::string_view target,
              std::uint32_t ttl = 60) {
    const Name parsed = name_of(target);
    const auto wire = parsed.wire();
    return record(owner, type, {wire.begin(), wire.end()}, ttl);
  }

  std::vector<std::byte> bytes;

 private:
  // One more in the header's number there.
  void count(std::size_t at, int more = 1) {
    const int number = std::to_integer<int>(bytes[at]) << 8 | std::to_integer<int>(bytes[at + 1]);
    bytes[at] = static_cast<std::byte>((number + more) >> 8);
    bytes[at + 1] = static_cast<std::byte>((number + more) & 0xff);
  }
  void put(std::initializer_list<std::uint8_t> values) {
    for (const std::uint8_t value : values) bytes.push_back(static_cast<std::byte>(value));
  }
  void put_number(std::uint16_t number) {
    put({static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number & 0xff)});
  }
  void put_name(std::string_view text) {
    const Name name = dns::test::name_of(text);
    for (const std::uint8_t byte : name.wire()) put({byte});
  }
};

}  // namespace px::dns::test
