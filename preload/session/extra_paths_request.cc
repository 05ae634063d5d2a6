// SPDX-License-Identifier: MIT
#include "preload/session/extra_paths_request.h"

#include <sys/socket.h>

#include "plan/bundle_wire.h"
#include "preload/process/signals.h"
#include "preload/process/system_calls.h"
#include "preload/session/broker_connection.h"

namespace px::shim {

bool request_extra_paths(const Settings& settings, int fd,
                         std::span<const bundle::Endpoint> members, PathAnswer answer) {
  if (members.empty() || members.size() > bundle::kMostMembers) return false;
  const KeepErrno keep;
  const BlockSignals block;
  const bool awaited = answer == PathAnswer::kAwaited;
  BrokerConnection connection(awaited ? 0 : SOCK_NONBLOCK);
  if (!connection.connect(settings)) return false;
  plan::ExtraPaths request{};
  request.header = plan::header_of(plan::MessageType::kExtraPaths, sizeof request);
  request.port = members.front().port;
  request.count = static_cast<std::uint16_t>(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    request.members[i] = {members[i].address, members[i].scope};
  }
  if (!connection.send(std::as_bytes(std::span(&request, 1)), fd)) return false;
  if (!awaited) return true;
  std::byte packet[sizeof(plan::Refusal) + 1];  // one more than any answer is long
  iovec buffer{.iov_base = packet, .iov_len = sizeof packet};
  msghdr message{};  // no room for descriptors: none are expected
  message.msg_iov = &buffer;
  message.msg_iovlen = 1;
  const auto header = plan::parse_header(std::span(packet, connection.receive(&message)));
  return header && header->type == plan::MessageType::kExtraPathsTaken;
}

}  // namespace px::shim
