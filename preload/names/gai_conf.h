// SPDX-License-Identifier: MIT
// The tables by which glibc sorts the addresses of a name: its own (those of RFC 3484, and a few
// labels more), or what gai.conf(5) has in their place. Read once, by the constructor; no heap.
// Callable from any thread; reading may change errno.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "libbundle/core/address.h"

namespace px::shim {

class GaiConf {
 public:
  // libc's file, or another one; one that cannot be read says nothing.
  explicit GaiConf(const char* file = "/etc/gai.conf");

  [[nodiscard]] std::uint32_t label_of(const bundle::Address& address) const {
    return labels_.value_of(address);
  }
  [[nodiscard]] std::uint32_t precedence_of(const bundle::Address& address) const {
    return precedences_.value_of(address);
  }
  // `family` is that of the sockaddr: an IPv4 address in one of IPv6 is like others there.
  [[nodiscard]] std::uint32_t scope_of(const bundle::Address& address, int family) const;

 private:
  struct Entry {
    bundle::Address prefix;
    std::uint32_t bits;
    std::uint32_t value;
  };
  // Sorted by bits, the most first; of equal ones as they were added. The file's first entry takes
  // the place of all that were there.
  class Table {
   public:
    Table(std::span<const Entry> own, std::uint32_t otherwise);
    // What there is no room for is left out.
    void add(const Entry& entry);
    [[nodiscard]] std::uint32_t value_of(const bundle::Address& address) const;

   private:
    static constexpr std::size_t kMost = 64;
    std::array<Entry, kMost> entries_;
    std::size_t count_ = 0;
    bool is_own_ = true;
    std::uint32_t otherwise_;
  };
  void take_line(std::string_view line);

  static const std::array<Entry, 7> kLabels;
  static const std::array<Entry, 4> kPrecedences;
  static const std::array<Entry, 2> kScopes;

  Table labels_;
  Table precedences_;
  Table scopes_;
};

}  // namespace px::shim
