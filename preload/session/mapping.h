// SPDX-License-Identifier: MIT
// Memory shared with the broker. The descriptors stay the caller's to close. Callable from any
// thread and from signal handlers; may change errno.
#pragma once

#include <sys/types.h>

#include <atomic>

#include "plan/counters.h"
#include "preload/process/settings.h"

namespace px::shim {

// The plan file beside the broker's socket, read-only and close-on-exec; -1 where there is none.
[[nodiscard]] int open_plan(const Settings& settings);

// Whether the broker says by plan::kAllSocketsFile that it may choose the program's transport.
[[nodiscard]] bool sockets_may_be_chosen(const Settings& settings);

// The mapped plan; null when the file is not a plan of this layout, or too short. `owner`: then the
// file's, who is the broker's user.
[[nodiscard]] const void* map_plan(int fd, std::atomic<uid_t>* owner);
void unmap_plan(const void* base);

// The mapped counters page, at `place` when it is given, instead of the page there; null when it
// cannot be mapped.
[[nodiscard]] plan::Counters* map_counters(int fd, plan::Counters* place);
void unmap_counters(plan::Counters* counters);

}  // namespace px::shim
