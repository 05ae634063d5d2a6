// SPDX-License-Identifier: MIT
#include "libbundle/connect/sctp_wait.h"

#include <poll.h>
#include <sys/time.h>

#include <algorithm>
#include <array>

#include "libbundle/core/socket_option.h"

namespace px::bundle {
namespace {

// Whether the socket is decided by then; the probes' answers go where they belong.
bool wait_until(const SystemCalls& system, int fd, TcpBeside* beside, std::int64_t end) {
  std::array<pollfd, 1 + TcpBeside::kMost> polls;
  polls[0] = {.fd = fd, .events = POLLOUT, .revents = 0};
  const unsigned probes = beside != nullptr ? beside->watch(polls.data() + 1) : 0;
  const std::int64_t left = std::max<std::int64_t>(end - monotonic_ms(system), 0);
  timespec time{.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1'000'000};
  const int ready = system.ppoll(polls.data(), 1 + probes, &time, nullptr, sizeof(SignalMask));
  if (ready <= 0) return false;
  if (probes != 0) beside->settle(polls.data() + 1, probes, monotonic_ms(system));
  return probes == 0 || polls[0].revents != 0;
}

}  // namespace

std::int64_t send_timeout_ms(const SystemCalls& system, int fd) {
  timeval timeout{};
  socklen_t length = sizeof timeout;
  if (system.getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &length) != 0) return 0;
  return std::int64_t{timeout.tv_sec} * 1000 + (timeout.tv_usec + 999) / 1000;
}

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
  const std::int64_t timeout = send_timeout_ms(system, fd);
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

Errno await_attempt(const SystemCalls& system, int fd, const AttemptWait& wait,
                    HeldSignals& signals) {
  for (;;) {
    const std::int64_t now = monotonic_ms(system);
    std::int64_t end = wait.end;
    if (wait.beside != nullptr) {
      wait.beside->advance(now);
      end = std::min(end, wait.beside->sctp_ends());
    }
    if (wait.program_end != 0 && now >= wait.program_end) return EINPROGRESS;
    if (now >= end) return wait.blocks || end < wait.end ? ETIMEDOUT : EINPROGRESS;
    std::int64_t next = std::min(end, now + kSignalsWaitMs);
    if (wait.program_end != 0) next = std::min(next, wait.program_end);
    if (wait.beside != nullptr) next = std::min(next, wait.beside->due());
    if (wait_until(system, fd, wait.beside, next)) return take_error(system, fd);
    if (!signals.waiting()) continue;
    // A handler need not return.
    if (wait.beside != nullptr) wait.beside->close_all();
    if (signals.admit(wait.program_end == 0) && wait.blocks) return EINTR;
  }
}

}  // namespace px::bundle
