// SPDX-License-Identifier: MIT
// The process at the other end of a connection, as the kernel tells it: never as it says itself.
// Callable from any thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "util/error.h"
#include "util/fd.h"

namespace px::ipc {

struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  Fd process;  // a pidfd: readable once the process has ended
};

// From the socket's credentials (SO_PEERCRED, unix(7)) and its pidfd: SO_PEERPIDFD where the kernel
// has it (6.5), pidfd_open(2) before.
[[nodiscard]] Expected<Peer> peer_of(int socket);

// Whose it is, from the same credentials.
[[nodiscard]] std::optional<uid_t> user_of_peer(int socket);

// The program a process runs now: /proc/PID/exe, or where that may not be read, its name in
// brackets.
[[nodiscard]] std::string executable_of(pid_t pid);

}  // namespace px::ipc
