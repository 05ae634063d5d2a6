// SPDX-License-Identifier: MIT
#include "preload/hello.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <span>

namespace px::shim {
namespace {

constexpr int kWelcomeFds = 2;

std::int64_t monotonic_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

void close_fd(int fd) {
  if (fd >= 0) ::syscall(SYS_close, fd);
}

// A connection to the broker; every wait on it ends at the deadline.
class Connection {
 public:
  explicit Connection(std::int64_t deadline)
      : deadline_(deadline),
        fd_(static_cast<int>(::syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0))) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { close_fd(fd_); }

  // connect blocks while the broker's backlog is full: SO_SNDTIMEO bounds that too.
  bool connect(const Settings& settings) {
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

  // With a descriptor, if that is none less than 0.
  bool send(const plan::Hello& hello, int descriptor) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
    iovec buffer{.iov_base = const_cast<plan::Hello*>(&hello), .iov_len = sizeof hello};
    msghdr message{};
    message.msg_iov = &buffer;
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
    return result == static_cast<long>(sizeof hello);
  }

  // The packet's size; 0 for none in time. One byte of room more than any answer is long shows a
  // packet that is longer.
  std::size_t receive(msghdr* message) {
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

  // SO_NETNS_COOKIE; 0 where the kernel (before 5.14) has none.
  [[nodiscard]] std::uint64_t network_namespace() const {
    std::uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    const long result =
        ::syscall(SYS_getsockopt, fd_, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length);
    return result == 0 ? cookie : 0;
  }

 private:
  // Sets the option to the time left; false when there is none, or no socket.
  bool limit(int option) {
    const std::int64_t left = deadline_ - monotonic_ms();
    if (left <= 0) return false;
    const timeval time{.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
    return ::syscall(SYS_setsockopt, fd_, SOL_SOCKET, option, &time, sizeof time) == 0;
  }

  std::int64_t deadline_;
  int fd_;
};

plan::Hello hello_of(const Greeting& greeting, std::uint64_t network_namespace) {
  plan::Hello hello{};
  hello.header = plan::header_of(plan::MessageType::kHello, sizeof hello);
  hello.layout_version = plan::kLayoutVersion;
  hello.flags = greeting.flags;
  hello.network_namespace = network_namespace;
  plan::fill_text(hello.profile, greeting.profile);
  return hello;
}

// The descriptors that came with a packet, closed at the end but for those that were taken.
class ReceivedFds {
 public:
  explicit ReceivedFds(msghdr* message) {
    for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr;
         header = CMSG_NXTHDR(message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      const std::size_t size = header->cmsg_len - CMSG_LEN(0);
      for (std::size_t at = 0; at + sizeof(int) <= size && count_ < kWelcomeFds;
           at += sizeof(int)) {
        std::memcpy(&fds_[count_++], CMSG_DATA(header) + at, sizeof(int));
      }
    }
  }
  ReceivedFds(const ReceivedFds&) = delete;
  ReceivedFds& operator=(const ReceivedFds&) = delete;
  ~ReceivedFds() {
    for (const int fd : fds_) close_fd(fd);
  }

  [[nodiscard]] int count() const { return count_; }
  int take(int index) {
    const int fd = fds_[index];
    fds_[index] = -1;
    return fd;
  }

 private:
  int fds_[kWelcomeFds] = {-1, -1};
  int count_ = 0;
};

HelloAnswer answer_of(std::span<const std::byte> packet, ReceivedFds* fds) {
  HelloAnswer answer;
  if (const auto refusal = plan::parse_refusal(packet)) {
    answer.outcome = HelloOutcome::kRefusal;
    std::memcpy(answer.reason.data(), refusal->reason, answer.reason.size());
    return answer;
  }
  const auto welcome = plan::parse_welcome(packet);
  answer.outcome = HelloOutcome::kStrangeAnswer;
  if (!welcome) return answer;
  if (welcome->profile[0] == '\0') {
    answer.outcome = HelloOutcome::kNoProfile;
    return answer;
  }
  if (fds->count() != kWelcomeFds) return answer;
  answer.outcome = HelloOutcome::kWelcome;
  answer.broker_instance = welcome->broker_instance;
  std::memcpy(answer.profile.data(), welcome->profile, answer.profile.size());
  answer.recheck = welcome->recheck;
  answer.plan_fd = fds->take(0);
  answer.counters_fd = fds->take(1);
  return answer;
}

}  // namespace

HelloAnswer say_hello(const Settings& settings, const Greeting& greeting) {
  Connection connection(monotonic_ms() + kHelloDeadlineMs);
  if (!connection.connect(settings)) return {};
  // The broker may not be allowed to look it up in /proc.
  const auto executable =
      static_cast<int>(::syscall(SYS_openat, AT_FDCWD, "/proc/self/exe", O_PATH | O_CLOEXEC));
  const bool sent = connection.send(hello_of(greeting, connection.network_namespace()), executable);
  close_fd(executable);
  if (!sent) return {};
  std::byte packet[sizeof(plan::Refusal) + 1];
  alignas(cmsghdr) char control[CMSG_SPACE(kWelcomeFds * sizeof(int))] = {};
  iovec buffer{.iov_base = packet, .iov_len = sizeof packet};
  msghdr message{};
  message.msg_iov = &buffer;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const std::size_t size = connection.receive(&message);
  ReceivedFds fds(&message);
  if (size == 0) return {};
  return answer_of(std::span<const std::byte>(packet, size), &fds);
}

}  // namespace px::shim
