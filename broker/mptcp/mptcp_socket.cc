// SPDX-License-Identifier: MIT
#include "broker/mptcp/mptcp_socket.h"

#include <linux/mptcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>

#include "util/socket_option.h"

namespace px::broker {
namespace {

constexpr int kSolMptcp = 284;  // newer than Debian 12's libc headers

Expected<MptcpToken> token_of(int socket) {
  mptcp_info info{};
  socklen_t length = sizeof info;
  if (getsockopt(socket, kSolMptcp, MPTCP_INFO, &info, &length) != 0) {
    return errno == EOPNOTSUPP ? fail("the peer does not speak MPTCP")
                               : fail_errno("the connection's token cannot be read");
  }
  if (length < offsetof(mptcp_info, mptcpi_token) + sizeof info.mptcpi_token ||
      info.mptcpi_token == 0) {
    return fail("the connection has no token");
  }
  return info.mptcpi_token;
}

std::optional<MptcpPeer> peer_of(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return std::nullopt;
  }
  const auto peer =
      bundle::endpoint_from_sockaddr(reinterpret_cast<const sockaddr*>(&address), length);
  return peer ? std::optional(MptcpPeer{peer->address, peer->scope}) : std::nullopt;
}

}  // namespace

bool is_mptcp(int socket) {
  return socket_option(socket, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_MPTCP;
}

Expected<MptcpSocket> read_mptcp_socket(int socket) {
  PX_ASSIGN_OR_RETURN(const auto token, token_of(socket));
  return MptcpSocket{token, peer_of(socket),
                     socket_option<std::uint32_t>(socket, SOL_SOCKET, SO_MARK).value_or(0),
                     socket_option(socket, SOL_SOCKET, SO_DOMAIN) == AF_INET};
}

}  // namespace px::broker
