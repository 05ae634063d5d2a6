// SPDX-License-Identifier: MIT
// What connecting to a bundle asks of where it runs: the way that each member is to take, and what
// is known of who answers. libpx.so answers from the plan, libbundle.so by itself. Callable from
// any thread and from signal handlers, like what uses it.
#pragma once

#include <cstdint>
#include <span>

#include "libbundle/core/address.h"

namespace px::bundle {

// What connect(2) on a socket is to answer: 0, or its errno.
using Errno = int;

enum class Health : std::uint8_t { kUnknown, kAlive, kDead };

class Egress {
 public:
  // Puts a socket that is not connected, the program's or one of ours, on the way that the member
  // is to take. 0, or the errno that a connect to this member is to fail with.
  [[nodiscard]] virtual Errno prepare(int fd, const Endpoint& member) = 0;
  // Whether a socket that was prepared for `from` can be prepared for `to` after it: a stream's
  // device and source cannot be taken back. A member itself can be both; false then says that
  // preparing is not all that its way takes.
  [[nodiscard]] virtual bool can_move(int fd, const Endpoint& from, const Endpoint& to) = 0;

  // Has each of these members, which prepare() takes, be reached by its own way from this SCTP
  // socket, which was prepared for nobody, but may have been spread before, over others. What is
  // sent to other addresses than these goes nowhere. False where that cannot be had: then a socket
  // that was not spread can still be prepared for the first one.
  [[nodiscard]] virtual bool spread(int /*fd*/, std::span<const Endpoint> /*members*/) {
    return false;
  }

  [[nodiscard]] virtual Health health(const Endpoint& member) = 0;
  // The member answered, or did not where another one did.
  virtual void report(const Endpoint& member, bool alive) = 0;

 protected:
  ~Egress() = default;
};

}  // namespace px::bundle
