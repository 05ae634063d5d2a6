// SPDX-License-Identifier: MIT
#include "preload/session/marker.h"

#include <sys/socket.h>

#include <array>
#include <ctime>
#include <string_view>

#include "preload/process/notice.h"
#include "preload/process/signals.h"

namespace px::shim {
namespace {

constexpr std::int64_t kRetryAfterMs = 1000;

std::int64_t coarse_now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

}  // namespace

std::uint32_t Marker::mark_of(int fd) const {
  const KeepErrno keep;
  std::uint32_t mark = 0;
  socklen_t length = sizeof mark;
  return system_.getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &length) == 0 ? mark : 0;
}

bool Marker::set(int fd, std::uint32_t mark) {
  const KeepErrno keep;
  const std::int64_t now = coarse_now_ms();
  if (now < retry_at_.load(std::memory_order_relaxed)) return false;
  MarkAnswer answer;
  {
    const BlockSignals block;
    answer = request_(settings_, fd, mark);
  }
  const bool answered = answer.marked || answer.reason[0] != '\0';
  if (!answered) retry_at_.store(now + kRetryAfterMs, std::memory_order_relaxed);
  if (!answer.marked) complain(answer);
  return answer.marked;
}

void Marker::complain(const MarkAnswer& answer) {
  if (complained_.exchange(true, std::memory_order_relaxed)) return;
  std::string_view reason(answer.reason.data());
  if (reason.empty()) reason = "it does not answer; is pxd running?";
  const std::string_view path(settings_.socket_path.data());
  write_notice(settings_, std::array<std::string_view, 4>{"a next hop needs the broker at ", path,
                                                          ": ", reason});
}

}  // namespace px::shim
