// SPDX-License-Identifier: MIT
#include "preload/session/exchange.h"

#include <sys/socket.h>

#include <cstring>

#include "preload/process/clock.h"
#include "preload/process/signals.h"
#include "preload/process/system_calls.h"
#include "preload/session/broker_connection.h"

namespace px::shim {

namespace {

struct Answered {
  Acknowledgement acknowledgement;
  bool busy = false;
  bool hung_up = false;
};

Answered exchange_once(const Settings& settings, const SecondSocket& second, int fd,
                       std::span<const std::byte> request, plan::MessageType done,
                       std::int64_t deadline) {
  Answered answer;
  BrokerConnection connection(deadline);
  if (connection.connect(settings, second) != 0 || !connection.send(request, fd)) return answer;
  std::byte packet[sizeof(plan::Refusal) + 1];  // one more than any answer is long
  iovec buffer{.iov_base = packet, .iov_len = sizeof packet};
  msghdr message{};  // no room for descriptors: none are expected
  message.msg_iov = &buffer;
  message.msg_iovlen = 1;
  const std::span<const std::byte> received(packet, connection.receive(&message));
  answer.hung_up = connection.was_hung_up();
  const auto header = plan::parse_header(received);
  answer.acknowledgement.done = header && header->type == done;
  if (const auto refusal = plan::parse<plan::Refusal>(received)) {
    answer.busy = refusal->code == plan::RefusalCode::kBusy;
    auto& reason = answer.acknowledgement.reason;
    std::memcpy(reason.data(), refusal->reason, reason.size());
  }
  return answer;
}

}  // namespace

Acknowledgement exchange(const Settings& settings, const SecondSocket& second, int fd,
                         std::span<const std::byte> request, plan::MessageType done) {
  if (is_filtered(settings)) return {};
  const KeepErrno keep;
  const BlockSignals block;
  const std::int64_t deadline = monotonic_ms() + settings.deadline_ms;
  Pauses pauses(deadline);
  for (;;) {
    const Answered answer = exchange_once(settings, second, fd, request, done, deadline);
    if (!pauses.before_trying_again(answer.busy, answer.hung_up)) return answer.acknowledgement;
  }
}

bool tell(const Settings& settings, int fd, std::span<const std::byte> request) {
  if (is_filtered(settings)) return false;
  const KeepErrno keep;
  const BlockSignals block;
  BrokerConnection connection(monotonic_ms() + settings.deadline_ms, SOCK_NONBLOCK);
  return connection.connect(settings) == 0 && connection.send(request, fd);
}

}  // namespace px::shim
