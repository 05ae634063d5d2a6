// SPDX-License-Identifier: MIT
// What other processes were started with, as far as this one may look (proc(5), /proc/PID/environ).
#pragma once

#include <span>
#include <string>

namespace px {

// Whether a process besides this one was started with all of these in its environment, each
// "NAME=VALUE". Processes of other users, and those that hide their memory, are not seen; one that
// is just calling execve may be missed.
[[nodiscard]] bool any_process_started_with(std::span<const std::string> settings);

}  // namespace px
