// SPDX-License-Identifier: MIT
// Which users see and change everything: root and the broker's own user. All others see and change
// their own programs alone. Callable from any thread.
#pragma once

#include <sys/types.h>

#include <set>

namespace px::broker {

[[nodiscard]] bool is_administrator(uid_t uid);
[[nodiscard]] std::set<uid_t> administrators();

}  // namespace px::broker
