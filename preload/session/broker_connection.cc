// SPDX-License-Identifier: MIT
#include "preload/session/broker_connection.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "plan/second_socket.h"
#include "preload/process/clock.h"

namespace px::shim {

void close_fd(int fd) {
  if (fd >= 0) ::syscall(SYS_close, fd);
}

BrokerConnection::BrokerConnection(std::int64_t deadline, int flags) : deadline_(deadline) {
  const auto make = [flags] {
    const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | flags;
    return static_cast<int>(::syscall(SYS_socket, AF_UNIX, type, 0));
  };
  fd_ = make();
  if (fd_ < 0 && errno == EMFILE && spare_.take()) fd_ = make();
  socket_error_ = fd_ >= 0 ? 0 : errno;
}

void BrokerConnection::close() {
  close_fd(fd_);
  fd_ = -1;
  spare_.give_back();
}

int BrokerConnection::keep() {
  if (spare_.is_taken()) close();
  return std::exchange(fd_, -1);
}

// The kernel drops descriptors that arrive where there is no room for them.
void BrokerConnection::make_room_for_two() {
  const auto copy = [this] {
    return static_cast<int>(::syscall(SYS_fcntl, fd_, F_DUPFD_CLOEXEC, 0));
  };
  const int first = copy();
  const int second = copy();
  if (second < 0 && errno == EMFILE) (void)spare_.take();
  close_fd(second);
  close_fd(first);
}

int BrokerConnection::connect(const Settings& settings, const SecondSocket& second) {
  if (socket_error_ != 0) return socket_error_;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, settings.socket_path.data(), sizeof address.sun_path);
  const int error = connect_to(address, sizeof address);
  const bool no_way = error == ENOENT || error == ENOTDIR || error == EACCES;
  if (!no_way || second.broker_instance == 0) return error;
  const auto name = plan::second_socket_name(second.broker_instance);
  address.sun_path[0] = '\0';
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const int second_error = connect_to(address, offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (second_error != 0) return second_error;
  // After the broker's end anybody may take its name.
  return is_answered_by(second.owner) ? 0 : ECONNREFUSED;
}

// connect blocks while the broker's backlog is full, in the order of coming: SO_SNDTIMEO bounds
// that too.
int BrokerConnection::connect_to(const sockaddr_un& address, socklen_t length) {
  long result = -1;
  do {
    if (!limit(SO_SNDTIMEO)) return errno;
    result = ::syscall(SYS_connect, fd_, &address, length);
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

bool BrokerConnection::is_answered_by(uid_t owner) const {
  ucred peer{};
  socklen_t length = sizeof peer;
  return ::syscall(SYS_getsockopt, fd_, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
         peer.uid == owner;
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
  if (result < 0) return errno == EPIPE || errno == ECONNRESET;
  return result == static_cast<long>(packet.size());
}

std::size_t BrokerConnection::receive(msghdr* message) {
  const std::size_t control_size = message->msg_controllen;
  long result = -1;
  do {
    if (!limit(SO_RCVTIMEO)) return 0;
    message->msg_controllen = control_size;
    result = ::syscall(SYS_recvmsg, fd_, message, MSG_CMSG_CLOEXEC);
    // ECONNRESET comes once, ahead of packets that the broker sent before it closed (unix(7)).
  } while (result < 0 && (errno == EINTR || errno == ECONNRESET));
  hung_up_ = result == 0;
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

bool Pauses::before_trying_again(bool busy, bool hung_up) {
  if (!busy && !(hung_up && hang_ups_left_-- > 0)) return false;
  const std::int64_t length = next_ms_ + ::syscall(SYS_gettid) % next_ms_;
  if (monotonic_ms() + length >= deadline_) return false;
  timespec left{.tv_sec = 0, .tv_nsec = static_cast<long>(length) * 1'000'000};
  (void)::syscall(SYS_ppoll, nullptr, 0, &left, nullptr, 0);
  next_ms_ = std::min<std::int64_t>(next_ms_ * 2, 128);
  return true;
}

}  // namespace px::shim
