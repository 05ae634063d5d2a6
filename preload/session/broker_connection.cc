// SPDX-License-Identifier: MIT
#include "preload/session/broker_connection.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "preload/process/clock.h"

namespace px::shim {

void close_fd(int fd) {
  if (fd >= 0) ::syscall(SYS_close, fd);
}

BrokerConnection::BrokerConnection(int flags)
    : fd_(static_cast<int>(
          ::syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0))) {}

// connect blocks while the broker's backlog is full: SO_SNDTIMEO bounds that too.
bool BrokerConnection::connect(const Settings& settings) {
  deadline_ = monotonic_ms() + settings.deadline_ms;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, settings.socket_path.data(), sizeof address.sun_path);
  long result = -1;
  do {
    if (!limit(SO_SNDTIMEO)) return false;
    result = ::syscall(SYS_connect, fd_, &address, sizeof address);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

bool BrokerConnection::send(std::span<const std::byte> packet, int descriptor) {
  iovec data{const_cast<std::byte*>(packet.data()), packet.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  long result = -1;
  do {
    if (!limit(SO_SNDTIMEO)) return false;
    result = ::syscall(SYS_sendmsg, fd_, &message, MSG_NOSIGNAL);
  } while (result < 0 && errno == EINTR);
  return result == static_cast<long>(packet.size());
}

std::size_t BrokerConnection::receive(msghdr* message) {
  const std::size_t control_size = message->msg_controllen;
  long result = -1;
  do {
    if (!limit(SO_RCVTIMEO)) return 0;
    message->msg_controllen = control_size;
    result = ::syscall(SYS_recvmsg, fd_, message, MSG_CMSG_CLOEXEC);
  } while (result < 0 && errno == EINTR);
  if (result < 0) message->msg_controllen = 0;
  return result < 0 ? 0 : static_cast<std::size_t>(result);
}

std::uint64_t BrokerConnection::network_namespace() const {
  std::uint64_t cookie = 0;
  socklen_t length = sizeof cookie;
  const long result = ::syscall(SYS_getsockopt, fd_, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length);
  return result == 0 ? cookie : 0;
}

bool BrokerConnection::limit(int option) {
  const std::int64_t left = std::max<std::int64_t>(deadline_ - monotonic_ms(), 1);
  const timeval time{.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
  return ::syscall(SYS_setsockopt, fd_, SOL_SOCKET, option, &time, sizeof time) == 0;
}

}  // namespace px::shim
