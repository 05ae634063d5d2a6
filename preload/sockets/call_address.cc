// SPDX-License-Identifier: MIT
#include "preload/sockets/call_address.h"

#include <cstring>

namespace px::shim {

sa_family_t family_of(const sockaddr* bytes, socklen_t length) {
  sa_family_t family = AF_UNSPEC;
  if (bytes != nullptr && length >= sizeof family) std::memcpy(&family, bytes, sizeof family);
  return family;
}

CallAddress read_call_address(const sockaddr* bytes, socklen_t length) {
  CallAddress named{.family = family_of(bytes, length), .bytes = bytes, .length = length};
  if (bytes != nullptr) named.endpoint = bundle::endpoint_from_sockaddr(bytes, length);
  return named;
}

std::optional<CallAddress> call_address_of(const bundle::Endpoint& endpoint, sa_family_t family) {
  if (family == AF_INET && !endpoint.address.is_ipv4()) return std::nullopt;
  CallAddress named{.family = family, .endpoint = endpoint};
  if (family == AF_INET) named.endpoint->scope = 0;
  return named;
}

}  // namespace px::shim
