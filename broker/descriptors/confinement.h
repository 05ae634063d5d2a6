// SPDX-License-Identifier: MIT
// What a descriptor process gives up before it touches anything of a client's. Called once, in the
// new process.
#pragma once

#include <sys/types.h>

namespace px::broker {

// Keeps standard error and these two descriptors, which become 0 and 1; and of all capabilities the
// one to mark sockets, if it is there. Ends with the parent. False where that cannot be had.
[[nodiscard]] bool confine_descriptor_process(int tasks, int results, pid_t parent);

}  // namespace px::broker
