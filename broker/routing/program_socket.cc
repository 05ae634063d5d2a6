// SPDX-License-Identifier: MIT
#include "broker/routing/program_socket.h"

#include <sys/socket.h>

#include "util/socket_option.h"

namespace px::broker {

Expected<void> check_socket(int socket, std::uint64_t network_namespace) {
  const auto domain = socket_option(socket, SOL_SOCKET, SO_DOMAIN);
  if (!domain) return fail("what came with the request is no socket");
  if (*domain != AF_INET && *domain != AF_INET6) {
    return fail("the socket is not an internet socket");
  }
  if (network_namespace == 0) return {};
  const auto cookie = socket_option<std::uint64_t>(socket, SOL_SOCKET, SO_NETNS_COOKIE);
  if (cookie && cookie != network_namespace) {
    return fail("the socket is in another network namespace than the broker");
  }
  return {};
}

Expected<void> set_socket_mark(int socket, std::uint32_t mark, std::uint32_t mask,
                               std::uint64_t network_namespace) {
  PX_TRY(check_socket(socket, network_namespace));
  const auto old = socket_option<std::uint32_t>(socket, SOL_SOCKET, SO_MARK);
  if (!old) return fail_errno("SO_MARK cannot be read");
  const std::uint32_t wanted = (*old & ~mask) | (mark & mask);
  if (old == wanted) return {};
  if (!set_socket_option(socket, SOL_SOCKET, SO_MARK, wanted)) {
    return fail_errno("SO_MARK cannot be set");
  }
  return {};
}

}  // namespace px::broker
