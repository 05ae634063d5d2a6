// SPDX-License-Identifier: MIT
// Socket options that are an int, by a table of system calls. Callable from any thread and from
// signal handlers. May change errno.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <optional>

#include "libbundle/core/system_calls.h"

namespace px::bundle {

// Nothing where the kernel refuses; errno says why.
[[nodiscard]] inline std::optional<int> int_option(const SystemCalls& system, int fd, int level,
                                                   int name) {
  int value = 0;
  socklen_t length = sizeof value;
  if (system.getsockopt(fd, level, name, &value, &length) != 0) return std::nullopt;
  return value;
}

// Whether the kernel took it; errno says why not.
inline bool set_int_option(const SystemCalls& system, int fd, int level, int name, int value) {
  return system.setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// The socket's pending error, which this clears; or the errno of asking for it.
[[nodiscard]] inline int take_error(const SystemCalls& system, int fd) {
  const auto error = int_option(system, fd, SOL_SOCKET, SO_ERROR);
  return error ? *error : errno;
}

}  // namespace px::bundle
