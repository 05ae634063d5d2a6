// SPDX-License-Identifier: MIT
// A kernel with one SCTP socket, whose attempts end as a test says, and with probes of TCP beside
// it; a clock passes meanwhile. One at a time, one thread; nothing waits.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "libbundle/core/address.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

inline constexpr int kFd = 9;
inline constexpr int kProbe = 10;
inline constexpr std::uint32_t kStagger = 100;

struct Outcome {
  Errno error;
  std::int64_t after_ms = 0;
};

// A blocking SCTP socket, and a clock that passes while it connects.
struct FakeSctp {
  FakeSctp() {
    here = this;
    system.fcntl = [](int, int, int) { return here->flags; };
    system.clock_gettime = [](clockid_t, timespec* now) {
      *now = {.tv_sec = here->now / 1000, .tv_nsec = here->now % 1000 * 1'000'000};
      return 0;
    };
    system.getsockopt = [](int fd, int, int name, void* value, socklen_t*) {
      if (name == SO_SNDTIMEO) {
        *static_cast<timeval*>(value) = here->timeout;
      } else {
        const int error = fd == kProbe ? here->tcp : std::max(here->pending, 0);
        *static_cast<int*>(value) = name == SO_DOMAIN ? here->domain : error;
      }
      return 0;
    };
    system.connect = [](int fd, const sockaddr* address, socklen_t) {
      if (fd == kProbe && address->sa_family != AF_UNSPEC)
        here->calls.push_back("tcp @" + std::to_string(here->now - 1'000));
      errno = EINPROGRESS;
      return -1;
    };
    system.getpeername = [](int, sockaddr*, socklen_t*) { return here->connected ? 0 : -1; };
    system.sigprocmask = [](int, const SignalMask*, SignalMask*, std::size_t) { return 0; };
    system.sigpending = [](SignalMask* pending, std::size_t) {
      *pending = here->now >= here->signal_at ? 1u << (SIGUSR1 - 1) : 0;
      return 0;
    };
    system.sigaction = [](int, const SignalAction*, SignalAction* action, std::size_t) {
      *action = {.handler = 0x1000, .flags = here->action_flags, .restorer = 0, .mask = 0};
      return 0;
    };
    system.ppoll = [](pollfd* polls, unsigned count, timespec* time, const SignalMask*,
                      std::size_t) {
      if (here->pending >= 0 || time == nullptr) return 1;
      if (count > 1 && here->tcp >= 0) {
        polls[1].revents = POLLOUT;
        return 1;
      }
      here->now += time->tv_sec * 1000 + time->tv_nsec / 1'000'000;
      return 0;
    };
    system.socket = [](int, int, int) { return kProbe; };
    system.close = [](int fd) {
      EXPECT_EQ(fd, kProbe);
      return 0;
    };
    system.setsockopt = [](int, int level, int name, const void* value, socklen_t length) {
      if (level != 132 || name != 110) return 0;
      return here->connectx(static_cast<const char*>(value), length);
    };
  }
  ~FakeSctp() { here = nullptr; }

  int connectx(const char* bytes, socklen_t length) {
    std::string call;
    for (socklen_t at = 0; at < length;) {
      const auto* one = reinterpret_cast<const sockaddr*>(bytes + at);
      const socklen_t size = one->sa_family == AF_INET ? 16 : 28;
      std::array<char, kAddressTextSize> room;
      call += (at == 0 ? "" : " ");
      call += address_text(endpoint_from_sockaddr(one, size)->address, room);
      at += size;
    }
    calls.push_back(call);
    const Outcome outcome = outcomes.empty() ? Outcome{0} : outcomes.front();
    if (!outcomes.empty()) outcomes.pop_front();
    now += outcome.after_ms;
    errno = outcome.error;
    return outcome.error == 0 ? 0 : -1;
  }

  static inline FakeSctp* here = nullptr;
  SystemCalls system;
  int flags = 0;
  int domain = AF_INET6;
  int pending = 0;  // SO_ERROR; -1: nothing has happened
  int tcp = -1;     // the same of probes
  bool connected = false;
  timeval timeout{};
  std::int64_t signal_at = 1'000'000;
  unsigned long action_flags = 0;
  std::int64_t now = 1'000;
  std::deque<Outcome> outcomes;  // of each attempt; success after the last
  std::vector<std::string> calls;
};

}  // namespace px::bundle
