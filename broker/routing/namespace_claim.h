// SPDX-License-Identifier: MIT
// That one broker at a time manages next hops in a network namespace: an abstract Unix socket,
// which the kernel keeps per network namespace and lets go when the process ends. A holder owns it.
#pragma once

#include "util/error.h"
#include "util/fd.h"

namespace px::broker {

class NamespaceClaim {
 public:
  // The error names the process that has it.
  [[nodiscard]] static Expected<NamespaceClaim> take();

 private:
  explicit NamespaceClaim(Fd socket) : socket_(std::move(socket)) {}

  Fd socket_;
};

}  // namespace px::broker
