// SPDX-License-Identifier: MIT
#include "preload/session/mark_request.h"

#include <cstring>
#include <span>

#include "preload/session/broker_connection.h"

namespace px::shim {

MarkAnswer request_mark(const Settings& settings, int fd, std::uint32_t mark) {
  MarkAnswer answer;
  BrokerConnection connection;
  if (!connection.connect(settings)) return answer;
  const plan::Mark request{plan::header_of(plan::MessageType::kMark, sizeof request), mark};
  if (!connection.send(std::as_bytes(std::span(&request, 1)), fd)) return answer;
  std::byte packet[sizeof(plan::Refusal) + 1];  // one more than any answer is long
  iovec buffer{.iov_base = packet, .iov_len = sizeof packet};
  msghdr message{};  // no room for descriptors: none are expected
  message.msg_iov = &buffer;
  message.msg_iovlen = 1;
  const std::span<const std::byte> received(packet, connection.receive(&message));
  const auto header = plan::parse_header(received);
  answer.marked = header && header->type == plan::MessageType::kMarked;
  if (const auto refusal = plan::parse_refusal(received)) {
    std::memcpy(answer.reason.data(), refusal->reason, answer.reason.size());
  }
  return answer;
}

}  // namespace px::shim
