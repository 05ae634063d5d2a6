// SPDX-License-Identifier: MIT
#include "broker/identity/network_namespace.h"

#include <sys/socket.h>

#include "util/fd.h"
#include "util/socket_option.h"

namespace px::broker {

NetworkNamespace NetworkNamespace::own() {
  const Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const auto cookie = socket_option<std::uint64_t>(socket.get(), SOL_SOCKET, SO_NETNS_COOKIE);
  return NetworkNamespace(cookie.value_or(0));
}

}  // namespace px::broker
