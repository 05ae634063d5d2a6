// SPDX-License-Identifier: MIT
#include "preload/sockets/call_address.h"

#include <cstring>

namespace px::shim {

CallAddress read_call_address(const sockaddr* bytes, socklen_t length) {
  CallAddress named{.bytes = bytes, .length = length};
  if (bytes == nullptr || length < sizeof named.family) return named;
  std::memcpy(&named.family, bytes, sizeof named.family);
  named.endpoint = bundle::endpoint_from_sockaddr(bytes, length);
  return named;
}

std::optional<CallAddress> call_address_of(const bundle::Endpoint& endpoint, sa_family_t family) {
  if (family == AF_INET && !endpoint.address.is_ipv4()) return std::nullopt;
  CallAddress named{.family = family, .endpoint = endpoint};
  if (family == AF_INET) named.endpoint->scope = 0;
  return named;
}

}  // namespace px::shim
