// SPDX-License-Identifier: MIT
#include "broker/identity/administrator.h"

#include <unistd.h>

namespace px::broker {

bool is_administrator(uid_t uid) {
  return uid == 0 || uid == geteuid();
}

std::set<uid_t> administrators() {
  return {0, geteuid()};
}

}  // namespace px::broker
