// SPDX-License-Identifier: MIT
#include "broker/routing/program_socket.h"

#include <sys/socket.h>

namespace px::broker {
namespace {

// Newer than Debian 12's libc headers; include/uapi/asm-generic/socket.h.
constexpr int kSoNetnsCookie = 71;

template <typename Value>
bool option(int socket, int name, Value& value) {
  socklen_t length = sizeof value;
  return getsockopt(socket, SOL_SOCKET, name, &value, &length) == 0 && length == sizeof value;
}

}  // namespace

Expected<void> check_socket(int socket, std::uint64_t network_namespace) {
  int domain = AF_UNSPEC;
  if (!option(socket, SO_DOMAIN, domain)) return fail("what came with the request is no socket");
  if (domain != AF_INET && domain != AF_INET6) return fail("the socket is not an internet socket");
  std::uint64_t cookie = 0;
  if (network_namespace != 0 && option(socket, kSoNetnsCookie, cookie) &&
      cookie != network_namespace) {
    return fail("the socket is in another network namespace than the broker");
  }
  return {};
}

Expected<void> set_socket_mark(int socket, std::uint32_t mark, std::uint32_t mask,
                               std::uint64_t network_namespace) {
  if (auto checked = check_socket(socket, network_namespace); !checked) return checked;
  std::uint32_t old = 0;
  if (!option(socket, SO_MARK, old)) return fail_errno("SO_MARK cannot be read");
  const std::uint32_t wanted = (old & ~mask) | (mark & mask);
  if (old == wanted) return {};
  if (setsockopt(socket, SOL_SOCKET, SO_MARK, &wanted, sizeof wanted) != 0) {
    return fail_errno("SO_MARK cannot be set");
  }
  return {};
}

}  // namespace px::broker
