// SPDX-License-Identifier: MIT
#include "preload/marker.h"

#include <sys/socket.h>

#include <array>
#include <string_view>

#include "preload/notice.h"
#include "preload/signals.h"

namespace px::shim {

std::uint32_t Marker::mark_of(int fd) const {
  const KeepErrno keep;
  std::uint32_t mark = 0;
  socklen_t length = sizeof mark;
  return system_.getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &length) == 0 ? mark : 0;
}

bool Marker::set(int fd, std::uint32_t mark) {
  const KeepErrno keep;
  MarkAnswer answer;
  {
    const BlockSignals block;
    answer = request_(settings_, fd, mark);
  }
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
