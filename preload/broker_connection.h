// SPDX-License-Identifier: MIT
// One short connection to the broker: every wait on it ends at one deadline, and nothing of it is
// left open. Bare system calls alone; callable from any thread and from signal handlers, with
// signals blocked by the caller so that no handler leaves it behind. May change errno.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "preload/settings.h"

namespace px::shim {

inline constexpr std::int64_t kBrokerDeadlineMs = 1000;

void close_fd(int fd);

class BrokerConnection {
 public:
  // `flags`: SOCK_NONBLOCK for one that waits for nothing, or 0.
  explicit BrokerConnection(int flags = 0);
  BrokerConnection(const BrokerConnection&) = delete;
  BrokerConnection& operator=(const BrokerConnection&) = delete;
  ~BrokerConnection() { close_fd(fd_); }

  [[nodiscard]] bool connect(const Settings& settings);
  // One packet, with a descriptor where that is not -1.
  [[nodiscard]] bool send(std::span<const std::byte> packet, int descriptor = -1);
  // The packet's size; 0 for none in time.
  [[nodiscard]] std::size_t receive(msghdr* message);
  // SO_NETNS_COOKIE; 0 where the kernel (before 5.14) has none.
  [[nodiscard]] std::uint64_t network_namespace() const;

 private:
  // Sets the option to the time left; false when there is none, or no socket.
  [[nodiscard]] bool limit(int option);

  std::int64_t deadline_;
  int fd_;
};

}  // namespace px::shim
