// SPDX-License-Identifier: MIT
#include "preload/session/exchange.h"

#include <sys/socket.h>

#include <cstring>

#include "preload/process/signals.h"
#include "preload/process/system_calls.h"
#include "preload/session/broker_connection.h"

namespace px::shim {

Acknowledgement exchange(const Settings& settings, int fd, std::span<const std::byte> request,
                         plan::MessageType done) {
  const KeepErrno keep;
  const BlockSignals block;
  Acknowledgement answer;
  BrokerConnection connection;
  if (!connection.connect(settings) || !connection.send(request, fd)) return answer;
  std::byte packet[sizeof(plan::Refusal) + 1];  // one more than any answer is long
  iovec buffer{.iov_base = packet, .iov_len = sizeof packet};
  msghdr message{};  // no room for descriptors: none are expected
  message.msg_iov = &buffer;
  message.msg_iovlen = 1;
  const std::span<const std::byte> received(packet, connection.receive(&message));
  const auto header = plan::parse_header(received);
  answer.done = header && header->type == done;
  if (const auto refusal = plan::parse<plan::Refusal>(received)) {
    std::memcpy(answer.reason.data(), refusal->reason, answer.reason.size());
  }
  return answer;
}

bool tell(const Settings& settings, int fd, std::span<const std::byte> request) {
  const KeepErrno keep;
  const BlockSignals block;
  BrokerConnection connection(SOCK_NONBLOCK);
  return connection.connect(settings) && connection.send(request, fd);
}

}  // namespace px::shim
