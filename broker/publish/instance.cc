// SPDX-License-Identifier: MIT
#include "broker/publish/instance.h"

#include <sys/random.h>

namespace px::broker {

std::uint64_t new_instance() {
  std::uint64_t number = 0;
  while (number == 0) {
    if (getrandom(&number, sizeof number, 0) != sizeof number) number = 0;
  }
  return number;
}

}  // namespace px::broker
