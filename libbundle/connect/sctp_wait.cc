// SPDX-License-Identifier: MIT
#include "libbundle/connect/sctp_wait.h"

#include <poll.h>
#include <sys/time.h>

#include <algorithm>

#include "libbundle/connect/held_signals.h"
#include "libbundle/core/socket_option.h"

namespace px::bundle {
namespace {

// SO_SNDTIMEO; 0: none.
std::int64_t timeout_ms(const SystemCalls& system, int fd) {
  timeval timeout{};
  socklen_t length = sizeof timeout;
  if (system.getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &length) != 0) return 0;
  return std::int64_t{timeout.tv_sec} * 1000 + (timeout.tv_usec + 999) / 1000;
}

}  // namespace

Errno await_association(const SystemCalls& system, int fd, std::int64_t limit_ms) {
  const std::int64_t end = monotonic_ms(system) + limit_ms;
  pollfd poll{.fd = fd, .events = POLLOUT, .revents = 0};
  for (;;) {
    const std::int64_t left = std::max<std::int64_t>(end - monotonic_ms(system), 0);
    timespec time{.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1'000'000};
    const int ready = system.ppoll(&poll, 1, &time, nullptr, sizeof(SignalMask));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return EINPROGRESS;
    break;
  }
  return take_error(system, fd);
}

Errno go_on_connecting(const SystemCalls& system, int fd) {
  const std::int64_t timeout = timeout_ms(system, fd);
  const std::int64_t end = monotonic_ms(system) + timeout;
  HeldSignals signals(system);
  for (;;) {
    std::int64_t left = kSignalsWaitMs;
    if (timeout != 0) left = std::clamp<std::int64_t>(end - monotonic_ms(system), 0, left);
    const Errno error = await_association(system, fd, left);
    if (error != EINPROGRESS) return error;
    if (signals.waiting() && signals.admit(timeout == 0)) return EINTR;
    if (timeout != 0 && monotonic_ms(system) >= end) return EALREADY;
  }
}

}  // namespace px::bundle
