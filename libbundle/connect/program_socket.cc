// SPDX-License-Identifier: MIT
#include "libbundle/connect/program_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>

#include "libbundle/core/socket_option.h"

namespace px::bundle {

bool ProgramSocket::examine() {
  sockaddr_storage storage{};
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  socklen_t length = sizeof storage;
  if (system_.getsockname(fd_, address, &length) != 0) return false;
  const auto name = endpoint_from_sockaddr(address, length);
  if (!name) return false;
  family_ = storage.ss_family;
  bound_ = !name->address.is_unspecified();
  bound_to_ipv4_ = name->address.is_ipv4();

  // A closed stream without a pending error reports these two events and no others.
  pollfd poll{.fd = fd_, .events = POLLIN | POLLOUT | POLLRDHUP, .revents = 0};
  timespec at_once{};
  if (system_.ppoll(&poll, 1, &at_once, nullptr, sizeof(SignalMask)) != 1) return false;
  if (poll.revents != (POLLOUT | POLLHUP)) return false;

  ipv6_only_ =
      family_ == AF_INET6 && int_option(system_, fd_, IPPROTO_IPV6, IPV6_V6ONLY).value_or(0) != 0;
  const int flags = system_.fcntl(fd_, F_GETFL, 0);
  blocks_ = flags >= 0 && (flags & O_NONBLOCK) == 0;
  length = sizeof timeout_;
  if (system_.getsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout_, &length) != 0) timeout_ = {};
  return true;
}

std::int64_t ProgramSocket::timeout_ms() const {
  return std::int64_t{timeout_.tv_sec} * 1000 + (timeout_.tv_usec + 999) / 1000;
}

bool ProgramSocket::can_reach(const Address& address) const {
  if (bound_ && bound_to_ipv4_ != address.is_ipv4()) return false;
  return address.is_ipv4() ? !ipv6_only_ : family_ == AF_INET6;
}

Errno ProgramSocket::connect(const Endpoint& member) {
  sockaddr_storage address;
  // On an IPv4 socket, an IPv6 address is the kernel's to refuse.
  const sa_family_t family = family_ == AF_INET && member.address.is_ipv4() ? AF_INET : AF_INET6;
  const socklen_t length = sockaddr_from_endpoint(member, family, &address);
  return system_.connect(fd_, reinterpret_cast<const sockaddr*>(&address), length) == 0 ? 0 : errno;
}

Errno ProgramSocket::connect_within(const Endpoint& member, std::int64_t wait_ms) {
  if (!blocks_) return connect(member);
  const timeval wait{.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
  const bool limited = system_.setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0;
  const Errno error = connect(member);
  if (limited) {
    (void)system_.setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout_, sizeof timeout_);
  }
  return error;
}

// A blocking socket is connected only once a connect(2) has returned so. On a non-blocking one that
// call is left to the program, which may tell 0 from EISCONN.
Errno ProgramSocket::settle(const Endpoint& member, short events) {
  if (!blocks_ && (events & (POLLERR | POLLHUP | POLLNVAL)) == 0) return 0;
  const Errno error = connect(member);
  return error == EISCONN ? 0 : error;
}

void ProgramSocket::abandon(const Endpoint& member) {
  sockaddr nothing{};
  nothing.sa_family = AF_UNSPEC;
  (void)system_.connect(fd_, &nothing, sizeof nothing);
  // The kernel (6.18) leaves ECONNRESET behind.
  (void)take_error(system_, fd_);
  if (family_ != AF_INET6 || !member.address.is_ipv4()) return;
  // An IPv6 socket that has called an IPv4 address uses IPv4 from then on, even for IPv6 addresses
  // (6.18). A connect to an IPv4 address that fails before anything is sent resets that.
  (void)connect({.address = ipv4_address(INADDR_BROADCAST), .port = 1});
}

}  // namespace px::bundle
