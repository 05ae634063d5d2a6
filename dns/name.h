// SPDX-License-Identifier: MIT
// A domain name as DNS packets have it (RFC 1035, 3.1): labels with their lengths before them, and
// the root at the end.
//
// Of all of dns: pure, without heap, of libc alone; any bytes are safe to read. Callable from any
// thread and from signal handlers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace px::dns {

inline constexpr std::size_t kMostName = 255;  // bytes, the root's included
inline constexpr std::size_t kMostLabel = 63;
// Room for any name's text, each byte of it escaped, and a NUL.
inline constexpr std::size_t kNameTextSize = 4 * kMostName + 1;

// Compared as bytes: "WWW" is another value than "www".
class Name {
 public:
  // The root.
  constexpr Name() = default;

  // As ns_name_pton(3) reads it: `\.` and `\119` stand for a byte, and a dot at the end changes
  // nothing. Nothing for an empty or too long label, a name that is too long, or a bad escape; ""
  // and "." are the root.
  [[nodiscard]] static std::optional<Name> from_text(std::string_view text);
  // The name at the beginning of these bytes, which holds no pointers.
  [[nodiscard]] static std::optional<Name> from_wire(std::span<const std::uint8_t> bytes);

  // Into this name.
  [[nodiscard]] constexpr std::span<const std::uint8_t> wire() const& {
    return {bytes_.data(), length_};
  }
  std::span<const std::uint8_t> wire() const&& = delete;
  [[nodiscard]] constexpr bool is_root() const { return length_ == 1; }
  // Whether a host may be called so, in the eyes of libc (res_hnok): letters, digits, `-` and `_`,
  // and no `-` in front. Not the root.
  [[nodiscard]] bool is_host() const;

  // One label more at the end; false where it or the name would be too long.
  [[nodiscard]] bool append(std::span<const std::uint8_t> label);
  // This one below the other; nothing where that is too long.
  [[nodiscard]] std::optional<Name> below(const Name& domain) const;

  // Whether it has at least one label before the domain; without regard to the case of ASCII
  // letters. Every name but the root is below the root.
  [[nodiscard]] bool is_below(const Name& domain) const;
  // With ASCII letters in lower case.
  [[nodiscard]] Name lowered() const;

  // "www.example.com", without a dot at the end; "." for the root. Escaped as ns_name_ntop(3) does.
  // Points into `buffer`, which a NUL ends.
  [[nodiscard]] std::string_view text(std::span<char, kNameTextSize> buffer) const;

  // Without regard to the case of ASCII letters.
  [[nodiscard]] bool is_same(const Name& other) const;
  friend bool operator==(const Name& a, const Name& b);

 private:
  std::array<std::uint8_t, kMostName> bytes_{};
  std::uint8_t length_ = 1;
};

}  // namespace px::dns
