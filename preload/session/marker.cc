// SPDX-License-Identifier: MIT
#include "preload/session/marker.h"

#include <sys/socket.h>

#include <array>
#include <string_view>

#include "libbundle/core/socket_option.h"
#include "preload/process/clock.h"
#include "preload/process/notice.h"

namespace px::shim {
namespace {

constexpr std::int64_t kRetryAfterMs = 1000;

}  // namespace

std::uint32_t Marker::mark_of(int fd) const {
  const KeepErrno keep;
  return static_cast<std::uint32_t>(int_option(system_, fd, SOL_SOCKET, SO_MARK).value_or(0));
}

bool Marker::set(int fd, std::uint32_t mark) {
  return session_.ensure_session() && set_joined(fd, mark);
}

bool Marker::set_joined(int fd, std::uint32_t mark) {
  const KeepErrno keep;
  const std::int64_t now = coarse_monotonic_ms();
  if (now < retry_at_.load(std::memory_order_relaxed)) return false;
  session_.introduce_vfork_child();
  const Acknowledgement answer = request_(settings_, session_.second_socket(), fd, mark);
  const bool answered = answer.done || answer.reason[0] != '\0';
  if (!answered) retry_at_.store(now + kRetryAfterMs, std::memory_order_relaxed);
  if (!answer.done) complain(answer);
  return answer.done;
}

void Marker::complain(const Acknowledgement& answer) {
  if (complained_.exchange(true, std::memory_order_relaxed)) return;
  std::string_view reason(answer.reason.data());
  if (reason.empty()) reason = "it does not answer; is pxd running?";
  const std::string_view path(settings_.socket_path.data());
  write_notice(settings_, std::array<std::string_view, 4>{"a next hop needs the broker at ", path,
                                                          ": ", reason});
}

}  // namespace px::shim
