// SPDX-License-Identifier: MIT
// The sockets of the caller's network namespace that have a peer, as sock_diag(7) tells everyone.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "libbundle/core/address.h"
#include "util/error.h"

namespace px::netlink {

enum class SocketState { kConnecting, kConnected, kClosing };

struct ConnectedSocket {
  int protocol = 0;  // IPPROTO_TCP, IPPROTO_MPTCP, IPPROTO_SCTP or IPPROTO_UDP
  SocketState state = SocketState::kConnected;
  // As in /proc/PID/fd; 0 of one that no process has. MPTCP's subflows have their connection's.
  ino_t inode = 0;
  bundle::Endpoint local;
  bundle::Endpoint remote;
  int interface = 0;  // that it is bound to; 0: to none
};

// Of protocols that the kernel does not have, none. Blocks for as long as the kernel takes.
[[nodiscard]] Expected<std::vector<ConnectedSocket>> dump_connected_sockets();

}  // namespace px::netlink
