// SPDX-License-Identifier: MIT
// A kernel with a clock of its own, and hosts that answer, refuse or are silent: sockets behave as
// measured on Linux 6.18. What is asked of it is recorded with the time in milliseconds. One at a
// time, one thread; nothing waits.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "libbundle/core/system_calls.h"

namespace px::bundle {

struct Host {
  std::int64_t after_ms = std::numeric_limits<std::int64_t>::max() / 4;  // of silence
  int error = 0;                                                         // 0: it answers
};
inline constexpr Host kSilent{};
constexpr Host answers(std::int64_t after_ms = 10) {
  return {after_ms, 0};
}
constexpr Host refuses(std::int64_t after_ms = 10) {
  return {after_ms, ECONNREFUSED};
}

class FakeNetwork {
 public:
  static constexpr int kSocket = 5;

  explicit FakeNetwork(sa_family_t family = AF_INET6) {
    here = this;
    sockets[kSocket] = {.family = family};
  }
  ~FakeNetwork() { here = nullptr; }

  struct Socket {
    sa_family_t family = AF_INET6;
    bool nonblocking = false;
    bool speaks_ipv4 = false;
    enum { kClosed, kConnecting, kConnected } state = kClosed;
    std::string peer{};
    std::int64_t decided_at = 0;
    int error = 0;
    std::int64_t timeout_ms = 0;
  };

  std::map<std::string, Host> hosts;  // "socket ADDRESS": what it is to the program's socket alone
  std::map<int, Socket> sockets;
  std::vector<std::string> calls;
  std::int64_t now = 0;
  bool descriptors = true;
  bool ipv6_only = false;
  std::int64_t signal_at = -1;  // SIGALRM
  unsigned long signal_flags = 0;
  std::vector<std::size_t> open_at_signals;  // sockets

  Socket& own() { return sockets[kSocket]; }

  static inline FakeNetwork* here = nullptr;

  static int connect(int fd, const sockaddr* address, socklen_t length);
  static int ppoll(pollfd* fds, unsigned count, timespec* timeout, const SignalMask*, std::size_t);
  static int socket(int domain, int type, int);
  static int close(int fd);
  static int setsockopt(int fd, int, int name, const void* value, socklen_t);
  static int getsockopt(int fd, int level, int name, void* value, socklen_t*);
  static int getsockname(int fd, sockaddr* address, socklen_t* length);
  static int fcntl(int fd, int, int) { return here->sockets.at(fd).nonblocking ? O_NONBLOCK : 0; }
  static int clock_gettime(clockid_t, timespec* now);
  static int sigprocmask(int, const SignalMask* mask, SignalMask* before, std::size_t);
  static int sigpending(SignalMask* pending, std::size_t);
  static int sigaction(int, const SignalAction*, SignalAction* before, std::size_t);

 private:
  static int fail(int error);
  void record(int fd, const std::string& what);
  [[nodiscard]] static bool decided(const Socket& socket);
  static int finish(Socket& socket);
  [[nodiscard]] bool pending() const { return signal_at >= 0 && now >= signal_at; }
};

inline constexpr SystemCalls kFakeNetwork = {
    .connect = &FakeNetwork::connect,
    .setsockopt = &FakeNetwork::setsockopt,
    .getsockopt = &FakeNetwork::getsockopt,
    .getsockname = &FakeNetwork::getsockname,
    .socket = &FakeNetwork::socket,
    .close = &FakeNetwork::close,
    .fcntl = &FakeNetwork::fcntl,
    .ppoll = &FakeNetwork::ppoll,
    .clock_gettime = &FakeNetwork::clock_gettime,
    .sigprocmask = &FakeNetwork::sigprocmask,
    .sigpending = &FakeNetwork::sigpending,
    .sigaction = &FakeNetwork::sigaction,
};

}  // namespace px::bundle
