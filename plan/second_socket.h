// SPDX-License-Identifier: MIT
// A broker's second socket, for programs that have another root directory than it, and so no path
// to the first one. Its name is in the kernel's abstract namespace, and nobody knows it before the
// plans tell the broker's number: it cannot be taken beforehand.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace px::plan {

using SecondSocketName = std::array<char, 3 + 16>;

// Without the NUL that makes it abstract; nothing ends it.
[[nodiscard]] constexpr SecondSocketName second_socket_name(std::uint64_t broker_instance) {
  SecondSocketName name{'p', 'x', '-'};
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = name.size(); i-- > 3; broker_instance >>= 4) {
    name[i] = kDigits[broker_instance & 0xf];
  }
  return name;
}

}  // namespace px::plan
