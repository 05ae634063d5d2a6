// SPDX-License-Identifier: MIT
// The network namespace of the broker, which serves no program of another one. A value.
#pragma once

#include <cstdint>

namespace px::broker {

class NetworkNamespace {
 public:
  explicit NetworkNamespace(std::uint64_t cookie) : cookie_(cookie) {}
  // The one that this process is in.
  [[nodiscard]] static NetworkNamespace own();

  // SO_NETNS_COOKIE; 0 where the kernel has none.
  [[nodiscard]] std::uint64_t cookie() const { return cookie_; }
  // Whether this cookie, of a program's socket, is another namespace's. 0: the program does not
  // know.
  [[nodiscard]] bool excludes(std::uint64_t cookie) const {
    return cookie != 0 && cookie_ != 0 && cookie != cookie_;
  }

 private:
  std::uint64_t cookie_;
};

}  // namespace px::broker
