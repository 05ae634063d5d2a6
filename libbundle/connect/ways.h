// SPDX-License-Identifier: MIT
// What connecting to a bundle asks of where it runs: the way that each member is to take, and what
// is known of who answers. libpx.so answers from the plan, libbundle.so by itself. Callable from
// any thread and from signal handlers, like what uses it.
#pragma once

#include <cstdint>

#include "libbundle/core/address.h"

namespace px::bundle {

// What connect(2) on a socket is to answer: 0, or its errno.
using Errno = int;

enum class Health : std::uint8_t { kUnknown, kAlive, kDead };

class Ways {
 public:
  // Puts a socket that is not connected, the program's or one of ours, on the way that the member
  // is to take. 0, or the errno that a connect to this member is to fail with.
  [[nodiscard]] virtual Errno prepare(int fd, const Endpoint& member) = 0;
  // Whether a socket that was prepared for `from` can be prepared for `to` after it: a stream's
  // device and source cannot be taken back.
  [[nodiscard]] virtual bool can_move(int fd, const Endpoint& from, const Endpoint& to) = 0;

  [[nodiscard]] virtual Health health(const Endpoint& member) = 0;
  // The member answered, or did not where another one did.
  virtual void report(const Endpoint& member, bool alive) = 0;

 protected:
  ~Ways() = default;
};

}  // namespace px::bundle
