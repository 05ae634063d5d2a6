// SPDX-License-Identifier: MIT
// Lets one broker at a time manage next hops in a network namespace, by an abstract Unix socket:
// the kernel keeps those per network namespace and lets them go when the process ends. Its holder
// owns it.
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
