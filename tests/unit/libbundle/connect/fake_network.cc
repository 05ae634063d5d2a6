// SPDX-License-Identifier: MIT
#include "tests/unit/libbundle/connect/fake_network.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "libbundle/core/address.h"

namespace px::bundle {

int FakeNetwork::fail(int error) {
  errno = error;
  return -1;
}

void FakeNetwork::record(int fd, const std::string& what) {
  calls.push_back((fd == kSocket ? "socket " : "probe ") + what + " @" + std::to_string(now));
}

bool FakeNetwork::decided(const Socket& socket) {
  return socket.state == Socket::kConnecting && socket.decided_at <= here->now;
}

int FakeNetwork::finish(Socket& socket) {
  socket.state = socket.error == 0 ? Socket::kConnected : Socket::kClosed;
  return socket.error == 0 ? 0 : fail(std::exchange(socket.error, 0));
}

int FakeNetwork::connect(int fd, const sockaddr* address, socklen_t length) {
  Socket& socket = here->sockets.at(fd);
  if (address->sa_family == AF_UNSPEC) {
    if (socket.state == Socket::kConnecting) socket.error = ECONNRESET;
    socket.state = Socket::kClosed;
    return 0;
  }
  if (socket.state == Socket::kConnected) return fail(EISCONN);
  if (socket.state == Socket::kClosed) {
    if (socket.family != address->sa_family) return fail(EAFNOSUPPORT);
    const auto endpoint = endpoint_from_sockaddr(address, length);
    if (endpoint->address == ipv4_address(INADDR_BROADCAST)) {
      socket.speaks_ipv4 = false;
      return fail(ENETUNREACH);
    }
    std::array<char, kAddressTextSize> buffer;
    socket.peer = address_text(endpoint->address, buffer);
    here->record(fd, socket.peer);
    const bool lost = socket.speaks_ipv4 && !endpoint->address.is_ipv4();
    const auto of_socket = here->hosts.find("socket " + socket.peer);
    Host host = lost ? kSilent : here->hosts[socket.peer];
    if (fd == kSocket && of_socket != here->hosts.end()) host = of_socket->second;
    socket.speaks_ipv4 = socket.speaks_ipv4 || endpoint->address.is_ipv4();
    socket.state = Socket::kConnecting;
    socket.decided_at = here->now + host.after_ms;
    socket.error = host.error;
    if (socket.nonblocking) return fail(EINPROGRESS);
  } else if (socket.nonblocking && !decided(socket)) {
    return fail(EALREADY);
  }
  EXPECT_TRUE(socket.nonblocking || socket.timeout_ms != 0 || decided(socket)) << "for ever";
  here->now = std::max(here->now, std::min(socket.decided_at, here->now + socket.timeout_ms));
  return decided(socket) ? finish(socket) : fail(EINPROGRESS);
}

int FakeNetwork::ppoll(pollfd* fds, unsigned count, timespec* timeout, const SignalMask*,
                       std::size_t) {
  std::int64_t until = here->now + timeout->tv_sec * 1000 + timeout->tv_nsec / 1000000;
  for (unsigned i = 0; i < count; ++i) {
    const Socket& socket = here->sockets.at(fds[i].fd);
    if (socket.state != Socket::kConnecting) until = here->now;
    if (socket.state == Socket::kConnecting) until = std::min(until, socket.decided_at);
  }
  here->now = std::max(here->now, until);
  int ready = 0;
  for (unsigned i = 0; i < count; ++i) {
    const Socket& socket = here->sockets.at(fds[i].fd);
    fds[i].revents = 0;
    if (socket.state == Socket::kClosed) fds[i].revents = POLLOUT | POLLHUP;
    if (socket.state == Socket::kConnected) fds[i].revents = POLLOUT;
    if (decided(socket)) fds[i].revents = socket.error == 0 ? POLLOUT : POLLERR | POLLHUP;
    if (fds[i].revents != 0) ++ready;
  }
  return ready;
}

int FakeNetwork::socket(int domain, int type, int) {
  if (!here->descriptors) return fail(EMFILE);
  EXPECT_EQ(type, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
  int fd = 10;
  while (here->sockets.contains(fd)) ++fd;
  here->sockets[fd] = {.family = static_cast<sa_family_t>(domain), .nonblocking = true};
  EXPECT_LE(here->sockets.size(), 6u) << "too many handshakes at a time";
  return fd;
}

int FakeNetwork::close(int fd) {
  EXPECT_NE(fd, kSocket);
  EXPECT_EQ(here->sockets.erase(fd), 1u);
  return 0;
}

int FakeNetwork::setsockopt(int fd, int, int name, const void* value, socklen_t) {
  if (name != SO_SNDTIMEO) return 0;
  const auto* time = static_cast<const timeval*>(value);
  here->sockets.at(fd).timeout_ms = time->tv_sec * 1000 + time->tv_usec / 1000;
  return 0;
}

int FakeNetwork::getsockopt(int fd, int level, int name, void* value, socklen_t*) {
  Socket& socket = here->sockets.at(fd);
  if (level == IPPROTO_IPV6) {
    *static_cast<int*>(value) = here->ipv6_only ? 1 : 0;
  } else if (name == SO_ERROR) {
    if (socket.state != Socket::kConnecting || decided(socket)) {
      *static_cast<int*>(value) = std::exchange(socket.error, 0);
    }
  } else if (name == SO_SNDTIMEO) {
    *static_cast<timeval*>(value) = {socket.timeout_ms / 1000, socket.timeout_ms % 1000 * 1000};
  }
  return 0;
}

int FakeNetwork::getsockname(int fd, sockaddr* address, socklen_t* length) {
  const sa_family_t family = here->sockets.at(fd).family;
  const Endpoint any{.address = family == AF_INET ? ipv4_address(0) : Address{}};
  *length = sockaddr_from_endpoint(any, family, reinterpret_cast<sockaddr_storage*>(address));
  return 0;
}

int FakeNetwork::clock_gettime(clockid_t, timespec* now) {
  *now = {here->now / 1000, here->now % 1000 * 1000000};
  return 0;
}

int FakeNetwork::sigprocmask(int, const SignalMask* mask, SignalMask* before, std::size_t) {
  if (before != nullptr) *before = 0;
  if (*mask == 0 && here->pending()) {
    here->signal_at = -1;
    here->open_at_signals.push_back(here->sockets.size());
  }
  return 0;
}

int FakeNetwork::sigpending(SignalMask* pending, std::size_t) {
  *pending = here->pending() ? SignalMask{1} << (SIGALRM - 1) : 0;
  return 0;
}

int FakeNetwork::sigaction(int, const SignalAction*, SignalAction* before, std::size_t) {
  before->handler = 4711;
  before->flags = here->signal_flags;
  return 0;
}

}  // namespace px::bundle
