// SPDX-License-Identifier: MIT
// Waiting for an SCTP association that is being made. May change errno.
#pragma once

#include <cstdint>

#include "libbundle/connect/egress.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

// 0, or the association's error, which this clears, so that the socket can try again; EINPROGRESS
// where that is not decided in time. Signals are delivered, and end nothing.
[[nodiscard]] Errno await_association(const SystemCalls& system, int fd, std::int64_t limit_ms);

// For a blocking socket whose connect(2) has failed with EALREADY: the kernel (after a handler with
// SA_RESTART, or after a stop) or the program has made the call again. Waits as TCP's connect(2)
// does: 0 or the association's error, EINTR, or after SO_SNDTIMEO EALREADY.
[[nodiscard]] Errno go_on_connecting(const SystemCalls& system, int fd);

}  // namespace px::bundle
