// SPDX-License-Identifier: MIT
// A socket filter (classic BPF) that lets through packets to a bundle's addresses: on a listening
// socket the kernel then drops calls to the host's other addresses, whichever process has the
// socket then. Accepted sockets inherit it. A value; callable from any thread and from signal
// handlers.
#pragma once

#include <linux/filter.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "libbundle/core/bundle.h"

namespace px::shim {

class FilterProgram {
 public:
  // By addresses alone: scopes and ports are not looked at. A member 0.0.0.0 stands for all of
  // IPv4, and :: for every address.
  explicit FilterProgram(const bundle::Bundle& set);

  [[nodiscard]] std::span<const sock_filter> program() const { return {code_.data(), size_}; }

 private:
  // The branch on the version, an end for each, and of a member at most four loads, four
  // comparisons and an exit.
  static constexpr std::size_t kMost = 5 + 9 * bundle::kMostMembers;

  void add(std::uint16_t operation, std::uint32_t operand, std::uint8_t if_not = 0);
  void add_ipv4(const bundle::Address& address);
  void add_ipv6(const bundle::Address& address);

  std::array<sock_filter, kMost> code_{};
  std::size_t size_ = 0;
};

}  // namespace px::shim
