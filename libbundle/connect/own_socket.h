// SPDX-License-Identifier: MIT
// The program's own stream socket while px looks for the member that it connects to: a connect that
// ends in time, and a way back. Nothing of the program's options is different after any of its
// calls. Holds nothing; callable from any thread and from signal handlers. May change errno.
#pragma once

#include <sys/socket.h>
#include <sys/time.h>

#include <cstdint>

#include "libbundle/connect/egress.h"
#include "libbundle/core/address.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

class OwnSocket {
 public:
  OwnSocket(const SystemCalls& system, int fd) : system_(system), fd_(fd) {}

  // Asks the kernel what follows. False for what is no stream socket of ours, or not one that is
  // neither connected nor about to be, nor has a failure to tell: connect(2) on it is the kernel's.
  [[nodiscard]] bool examine();

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] sa_family_t family() const { return family_; }
  [[nodiscard]] bool blocks() const { return blocks_; }
  // SO_SNDTIMEO in milliseconds; 0: none.
  [[nodiscard]] std::int64_t timeout_ms() const;
  // Whether the socket can have a connection to an address of that kind at all.
  [[nodiscard]] bool takes(const Address& address) const;

  // connect(2) as the program would make it.
  [[nodiscard]] Errno connect(const Endpoint& member);
  // The same, but a blocking socket waits for `wait_ms` (at least 1) only: EINPROGRESS then.
  [[nodiscard]] Errno go(const Endpoint& member, std::int64_t wait_ms);
  // What became of an attempt, once poll(2) tells `events` of the socket.
  [[nodiscard]] Errno settle(const Endpoint& member, short events);
  // Ends the attempt at `member`, whatever became of it.
  void leave(const Endpoint& member);

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
