// SPDX-License-Identifier: MIT
// A program's MPTCP socket, as it was passed on: what subflows of its connection depend on. Asking
// takes the socket's lock, and so may wait for its program. Keeps nothing of the socket.
#pragma once

#include <cstdint>
#include <optional>

#include "broker/mptcp/connections.h"
#include "util/error.h"

namespace px::broker {

struct MptcpSocket {
  MptcpToken token = 0;
  std::optional<MptcpPeer> peer;  // absent while the connection is on its way
  std::uint32_t mark = 0;
  bool ipv4_alone = false;
};

[[nodiscard]] bool is_mptcp(int socket);
// An error: its connection can have no subflows, and why.
[[nodiscard]] Expected<MptcpSocket> read_mptcp_socket(int socket);

}  // namespace px::broker
