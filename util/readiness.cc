// SPDX-License-Identifier: MIT
#include "util/readiness.h"

#include <poll.h>

namespace px {

bool is_readable(int fd) {
  pollfd poll_for{fd, POLLIN, 0};
  return poll(&poll_for, 1, 0) > 0;
}

}  // namespace px
