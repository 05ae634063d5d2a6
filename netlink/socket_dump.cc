// SPDX-License-Identifier: MIT
#include "netlink/socket_dump.h"

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "netlink/attributes.h"
#include "netlink/message_builder.h"
#include "netlink/request_socket.h"

namespace px::netlink {
namespace {

// A dump into which a change broke is whole but for sockets that came or went meanwhile.
constexpr bool is_whole_enough(int error) {
  return error == 0 || error == EINTR;
}

constexpr std::uint32_t kWithPeer = 1U << TCP_ESTABLISHED | 1U << TCP_SYN_SENT |
                                    1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 |
                                    1U << TCP_CLOSE_WAIT | 1U << TCP_LAST_ACK | 1U << TCP_CLOSING;

SocketState state_of(std::uint8_t state) {
  if (state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT) return SocketState::kConnected;
  return state == TCP_SYN_SENT ? SocketState::kConnecting : SocketState::kClosing;
}

bundle::Endpoint endpoint_of(std::uint8_t family, const __be32 (&address)[4], __be16 port) {
  const std::size_t size = family == AF_INET ? 4 : 16;
  const auto bytes = std::as_bytes(std::span(address)).first(size);
  return {address_from_bytes(bytes).value_or(bundle::Address{}), ntohs(port)};
}

ConnectedSocket socket_of(int protocol, const inet_diag_msg& message) {
  return {.protocol = protocol,
          .state = state_of(message.idiag_state),
          .inode = message.idiag_inode,
          .local = endpoint_of(message.idiag_family, message.id.idiag_src, message.id.idiag_sport),
          .remote = endpoint_of(message.idiag_family, message.id.idiag_dst, message.id.idiag_dport),
          .interface = static_cast<int>(message.id.idiag_if)};
}

Expected<void> dump(int protocol, std::uint8_t family, std::vector<ConnectedSocket>& sockets) {
  PX_ASSIGN_OR_RETURN(auto socket, RequestSocket::open(Protocol::kSocketDiag));
  inet_diag_req_v2 request{};
  request.sdiag_family = family;
  request.idiag_states = kWithPeer;
  // The field has eight bits, and IPPROTO_MPTCP nine.
  if (protocol <= UINT8_MAX) request.sdiag_protocol = static_cast<std::uint8_t>(protocol);
  MessageBuilder message(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, request);
  if (protocol > UINT8_MAX) {
    message.put_u32(INET_DIAG_REQ_PROTOCOL, static_cast<std::uint32_t>(protocol));
  }
  const int error = socket.request(message, [&](const nlmsghdr& answer) {
    const auto* header = header_of<inet_diag_msg>(answer);
    if (header == nullptr) return;
    // An unconnected datagram socket is in a state of its own, which was not asked for.
    sockets.push_back(socket_of(protocol, *header));
  });
  if (is_whole_enough(error) || error == ENOENT || error == EOPNOTSUPP || error == EINVAL)
    return {};
  return fail_errno("cannot read the kernel's sockets", error);
}

}  // namespace

Expected<std::vector<ConnectedSocket>> dump_connected_sockets() {
  std::vector<ConnectedSocket> sockets;
  for (const int protocol : {IPPROTO_TCP, IPPROTO_MPTCP, IPPROTO_SCTP, IPPROTO_UDP}) {
    for (const std::uint8_t family : {AF_INET, AF_INET6}) {
      PX_TRY(dump(protocol, family, sockets));
    }
  }
  return sockets;
}

}  // namespace px::netlink
