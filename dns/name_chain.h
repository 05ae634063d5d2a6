// SPDX-License-Identifier: MIT
// The names by which a program came to an address: the one that it asked for, and what CNAMEs made
// of that. In lower case, one behind another as DNS has them, none twice, and as many as there is
// room for: the first ones always. A value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dns/name.h"

namespace px::dns {

class NameChain {
 public:
  static constexpr std::size_t kRoom = 472;

  constexpr NameChain() = default;
  // What stands at the beginning of any bytes, as it stands there.
  [[nodiscard]] static NameChain from_wire(std::span<const std::uint8_t> bytes);

  // The root is no name of a host, and is left out, as is what there is no room for.
  void add(const Name& name);
  [[nodiscard]] bool holds(const Name& name) const;
  [[nodiscard]] bool is_empty() const { return size_ == 0; }
  [[nodiscard]] std::span<const std::uint8_t> wire() const { return {bytes_.data(), size_}; }

 private:
  std::array<std::uint8_t, kRoom> bytes_{};
  std::uint16_t size_ = 0;
};

// Takes the first of names that stand one behind another; nothing behind the last, and where there
// is no name.
[[nodiscard]] std::optional<Name> next_name(std::span<const std::uint8_t>* names);

}  // namespace px::dns
