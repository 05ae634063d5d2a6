// SPDX-License-Identifier: MIT
// Waiting for an SCTP association that is being made. May change errno.
#pragma once

#include <cstdint>

#include "libbundle/connect/egress.h"
#include "libbundle/connect/held_signals.h"
#include "libbundle/connect/tcp_beside.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

// SO_SNDTIMEO in milliseconds; 0: none.
[[nodiscard]] std::int64_t send_timeout_ms(const SystemCalls& system, int fd);

// 0, or the association's error, which this clears, so that the socket can try again; EINPROGRESS
// where that is not decided in time. Signals are delivered, and end nothing.
[[nodiscard]] Errno await_association(const SystemCalls& system, int fd, std::int64_t limit_ms);

// For a blocking socket whose connect(2) has failed with EALREADY: the kernel (after a handler with
// SA_RESTART, or after a stop) or the program has made the call again. Waits as TCP's connect(2)
// does: 0 or the association's error, EINTR, or after SO_SNDTIMEO EALREADY.
[[nodiscard]] Errno go_on_connecting(const SystemCalls& system, int fd);

struct AttemptWait {
  std::int64_t end = 0;          // of the attempt, on CLOCK_MONOTONIC in milliseconds
  std::int64_t program_end = 0;  // of the program's own time; 0: none
  bool blocks = true;            // a handler that runs meanwhile ends the call
  TcpBeside* beside = nullptr;   // ends the attempt, too
};

// 0 or the association's error, which this clears; EINPROGRESS at the end of the program's time, or
// of an attempt of a non-blocking socket; EINTR; ETIMEDOUT where the attempt's time is over, and
// the association is being made all the same. Lets signals in every 100 ms.
[[nodiscard]] Errno await_attempt(const SystemCalls& system, int fd, const AttemptWait& wait,
                                  HeldSignals& signals);

}  // namespace px::bundle
