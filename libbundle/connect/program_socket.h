// SPDX-License-Identifier: MIT
// The program's stream socket while px looks for the member to connect it to: a connect(2) that
// ends in time, and can be undone. Each call leaves the program's options as they were. May change
// errno.
#pragma once

#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdint>

#include "libbundle/connect/egress.h"
#include "libbundle/core/address.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

// What connect(2) says of an attempt that goes on.
[[nodiscard]] constexpr bool under_way(Errno error) {
  return error == EINPROGRESS || error == EALREADY || error == EINTR;
}

// An error of the socket itself, whatever it is connected to.
[[nodiscard]] constexpr bool is_of_socket(Errno error) {
  return error == EBADF || error == ENOTSOCK || error == EISCONN;
}

[[nodiscard]] constexpr sa_family_t family_of(const Address& address) {
  return address.is_ipv4() ? AF_INET : AF_INET6;
}

class ProgramSocket {
 public:
  ProgramSocket(const SystemCalls& system, int fd) : system_(system), fd_(fd) {}

  // Reads what the questions below answer. False for anything but a stream socket of an internet
  // family that is not connected, not connecting and has no pending error: then connect(2) on it is
  // the kernel's to answer.
  [[nodiscard]] bool examine();

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] sa_family_t family() const { return family_; }
  [[nodiscard]] bool blocks() const { return blocks_; }
  // SO_SNDTIMEO in milliseconds; 0: none.
  [[nodiscard]] std::int64_t timeout_ms() const;
  // Whether the socket can have a connection to an address of this family at all.
  [[nodiscard]] bool can_reach(const Address& address) const;

  // connect(2) as the program would make it.
  [[nodiscard]] Errno connect(const Endpoint& member);
  // The same, but a blocking socket waits for `wait_ms` (at least 1) only: EINPROGRESS then.
  [[nodiscard]] Errno connect_within(const Endpoint& member, std::int64_t wait_ms);
  // The result of an attempt, once poll(2) reports `events` for the socket.
  [[nodiscard]] Errno settle(const Endpoint& member, short events);
  // Undoes the attempt at `member`, whatever its result.
  void abandon(const Endpoint& member);

 private:
  const SystemCalls& system_;
  int fd_;
  sa_family_t family_ = AF_UNSPEC;
  bool blocks_ = true;
  bool ipv6_only_ = false;
  bool bound_ = false;  // to an address
  bool bound_to_ipv4_ = false;
  timeval timeout_{};
};

}  // namespace px::bundle
