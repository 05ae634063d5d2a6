// SPDX-License-Identifier: MIT
// One short connection to the broker: every wait on it ends at one deadline. An answer that is
// there is taken even after the deadline, since on a busy machine it may be the program that had no
// time. For callers that block signals, so that no handler leaves it behind. May change errno.
//
// Of all of preload/session: system calls, and of libc what maps memory; callable from any thread
// and from signal handlers. No descriptor, thread or lock is kept: programs close descriptors that
// they do not know, fork with threads running, and connect in signal handlers.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "preload/process/settings.h"

namespace px::shim {

void close_fd(int fd);

class BrokerConnection {
 public:
  // `flags`: SOCK_NONBLOCK for a connection that waits for nothing, or 0.
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
  // Sets the option to the time left, at least the shortest; false where there is no socket.
  [[nodiscard]] bool limit(int option);

  std::int64_t deadline_ = 0;
  int fd_;
};

}  // namespace px::shim
