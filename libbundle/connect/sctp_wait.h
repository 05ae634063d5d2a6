// SPDX-License-Identifier: MIT
// Waiting for an SCTP association that is being made. Holds nothing; libc only; callable from any
// thread and from signal handlers. May change errno.
#pragma once

#include <cstdint>

#include "libbundle/connect/egress.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

// What became of it; EINPROGRESS if that is not decided in time. Takes a failure off the socket, so
// that it can try again. Signals are let in, and end nothing.
[[nodiscard]] Errno await_association(const SystemCalls& system, int fd, std::int64_t limit_ms);

// For a blocking socket whose connect(2) has said EALREADY: the kernel called again what had begun,
// after a handler with SA_RESTART or after a stop, or the program did. As TCP's connect, which
// waits then: the connection's error, EINTR, or after SO_SNDTIMEO EALREADY.
[[nodiscard]] Errno go_on_connecting(const SystemCalls& system, int fd);

}  // namespace px::bundle
