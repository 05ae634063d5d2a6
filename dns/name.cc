// SPDX-License-Identifier: MIT
#include "dns/name.h"

#include <algorithm>

namespace px::dns {
namespace {

// Not <cctype>, which asks the program's locale.
constexpr std::uint8_t lower(std::uint8_t c) {
  return c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c - 'A' + 'a') : c;
}

constexpr bool is_digit(std::uint8_t c) {
  return c >= '0' && c <= '9';
}

constexpr bool is_host_byte(std::uint8_t c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '_';
}

// The byte that stands at `text`'s beginning behind a backslash, and how much of the text it takes;
// nothing for a bad escape.
struct Escaped {
  std::uint8_t byte;
  std::size_t length;
};
std::optional<Escaped> unescape(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (!is_digit(at(0))) return Escaped{at(0), 1};
  if (text.size() < 3 || !is_digit(at(1)) || !is_digit(at(2))) return std::nullopt;
  const int value = (at(0) - '0') * 100 + (at(1) - '0') * 10 + (at(2) - '0');
  if (value > 255) return std::nullopt;
  return Escaped{static_cast<std::uint8_t>(value), 3};
}

// What stands for one byte of a label in text.
std::size_t write_byte(std::uint8_t byte, char* place) {
  constexpr std::string_view kSpecial = "\".;\\()@$";
  if (byte <= ' ' || byte >= 0x7f) {
    place[0] = '\\';
    place[1] = static_cast<char>('0' + byte / 100);
    place[2] = static_cast<char>('0' + byte / 10 % 10);
    place[3] = static_cast<char>('0' + byte % 10);
    return 4;
  }
  const char c = static_cast<char>(byte);
  if (kSpecial.find(c) == kSpecial.npos) {
    place[0] = c;
    return 1;
  }
  place[0] = '\\';
  place[1] = c;
  return 2;
}

}  // namespace

bool Name::append(std::span<const std::uint8_t> label) {
  if (label.empty() || label.size() > kMostLabel) return false;
  if (length_ + 1 + label.size() > kMostName) return false;
  std::uint8_t* place = bytes_.data() + length_ - 1;
  *place++ = static_cast<std::uint8_t>(label.size());
  place = std::copy(label.begin(), label.end(), place);
  *place = 0;
  length_ = static_cast<std::uint8_t>(length_ + 1 + label.size());
  return true;
}

std::optional<Name> Name::from_text(std::string_view text) {
  Name name;
  if (text.empty() || text == ".") return name;
  std::array<std::uint8_t, kMostLabel> label{};
  std::size_t size = 0;
  while (!text.empty()) {
    std::uint8_t byte = static_cast<std::uint8_t>(text.front());
    text.remove_prefix(1);
    if (byte == '.') {
      if (!name.append({label.data(), size})) return std::nullopt;
      size = 0;
      continue;
    }
    if (byte == '\\') {
      const auto escaped = unescape(text);
      if (!escaped) return std::nullopt;
      byte = escaped->byte;
      text.remove_prefix(escaped->length);
    }
    if (size == label.size()) return std::nullopt;
    label[size++] = byte;
  }
  if (size != 0 && !name.append({label.data(), size})) return std::nullopt;
  return name;
}

std::optional<Name> Name::from_wire(std::span<const std::uint8_t> bytes) {
  Name name;
  while (!bytes.empty() && bytes.front() != 0) {
    const std::size_t size = bytes.front();
    bytes = bytes.subspan(1);
    if (size > bytes.size() || !name.append(bytes.first(size))) return std::nullopt;
    bytes = bytes.subspan(size);
  }
  if (bytes.empty()) return std::nullopt;
  return name;
}

bool Name::is_host() const {
  if (is_root() || bytes_[1] == '-') return false;
  for (std::size_t at = 0; bytes_[at] != 0; at += bytes_[at] + std::size_t{1}) {
    const std::span<const std::uint8_t> label(bytes_.data() + at + 1, bytes_[at]);
    if (!std::all_of(label.begin(), label.end(), is_host_byte)) return false;
  }
  return true;
}

std::optional<Name> Name::below(const Name& domain) const {
  Name joined = *this;
  for (std::size_t at = 0; domain.bytes_[at] != 0; at += domain.bytes_[at] + std::size_t{1}) {
    if (!joined.append({domain.bytes_.data() + at + 1, domain.bytes_[at]})) return std::nullopt;
  }
  return joined;
}

// Lengths are below `A`: they are compared with the letters.
bool Name::is_below(const Name& domain) const {
  for (std::size_t at = 0; length_ - at > domain.length_;) {
    at += bytes_[at] + std::size_t{1};
    if (length_ - at != domain.length_) continue;
    return std::equal(bytes_.begin() + at, bytes_.begin() + length_, domain.bytes_.begin(),
                      [](std::uint8_t x, std::uint8_t y) { return lower(x) == lower(y); });
  }
  return false;
}

Name Name::lowered() const {
  Name name = *this;
  for (std::uint8_t& byte : name.bytes_) byte = lower(byte);
  return name;
}

std::string_view Name::text(std::span<char, kNameTextSize> buffer) const {
  char* place = buffer.data();
  if (is_root()) *place++ = '.';
  for (std::size_t at = 0; bytes_[at] != 0; at += bytes_[at] + std::size_t{1}) {
    if (at != 0) *place++ = '.';
    for (std::size_t i = 1; i <= bytes_[at]; ++i) place += write_byte(bytes_[at + i], place);
  }
  *place = '\0';
  return {buffer.data(), static_cast<std::size_t>(place - buffer.data())};
}

// Lengths are below `A`: they are compared with the letters.
bool Name::is_same(const Name& other) const {
  const auto a = wire();
  const auto b = other.wire();
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](std::uint8_t x, std::uint8_t y) { return lower(x) == lower(y); });
}

bool operator==(const Name& a, const Name& b) {
  const auto left = a.wire();
  const auto right = b.wire();
  return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

}  // namespace px::dns
