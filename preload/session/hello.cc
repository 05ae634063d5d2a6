// SPDX-License-Identifier: MIT
#include "preload/session/hello.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "preload/process/clock.h"
#include "preload/session/broker_connection.h"

namespace px::shim {
namespace {

constexpr int kWelcomeFds = 2;

plan::Hello hello_of(const HelloRequest& request, std::uint64_t network_namespace) {
  auto hello = plan::make<plan::Hello>();
  hello.layout_version = plan::kLayoutVersion;
  hello.flags = request.flags;
  hello.network_namespace = network_namespace;
  plan::fill_text(hello.profile, request.profile);
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
  if (const auto refusal = plan::parse<plan::Refusal>(packet)) {
    answer.outcome = refusal->code == plan::RefusalCode::kBusy    ? HelloOutcome::kBusy
                     : refusal->code == plan::RefusalCode::kQuota ? HelloOutcome::kNoPlace
                                                                  : HelloOutcome::kRefusal;
    std::memcpy(answer.reason.data(), refusal->reason, answer.reason.size());
    return answer;
  }
  const auto welcome = plan::parse<plan::Welcome>(packet);
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

HelloAnswer say_once(const Settings& settings, const HelloRequest& request, std::int64_t deadline) {
  BrokerConnection connection(deadline);
  const int error = connection.connect(settings, request.second);
  if (error == EAGAIN) return {};
  if (error != 0) return {.outcome = HelloOutcome::kUnreachable, .error = error};
  connection.make_room_for_two();
  const plan::Hello hello = hello_of(request, connection.network_namespace());
  // The broker may not be allowed to look it up in /proc.
  const auto executable =
      static_cast<int>(::syscall(SYS_openat, AT_FDCWD, "/proc/self/exe", O_PATH | O_CLOEXEC));
  const bool sent = connection.send(std::as_bytes(std::span(&hello, 1)), executable);
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
  if (connection.was_hung_up()) return {.outcome = HelloOutcome::kHungUp};
  if (size == 0) return {};
  return answer_of(std::span<const std::byte>(packet, size), &fds);
}

}  // namespace

HelloAnswer say_hello(const Settings& settings, const HelloRequest& request) {
  const std::int64_t deadline =
      monotonic_ms() + std::min(settings.deadline_ms, request.patience_ms);
  Pauses pauses(deadline);
  HelloAnswer refused;
  for (;;) {
    const HelloAnswer answer = say_once(settings, request, deadline);
    const bool busy = answer.outcome == HelloOutcome::kBusy;
    // What the broker has said so far tells more than that the time was too short for once more.
    if (answer.outcome == HelloOutcome::kNoAnswer && refused.outcome == HelloOutcome::kBusy) {
      return refused;
    }
    if (busy) refused = answer;
    const bool hung_up = answer.outcome == HelloOutcome::kHungUp;
    if (!pauses.before_trying_again(busy, hung_up)) return answer;
  }
}

}  // namespace px::shim
