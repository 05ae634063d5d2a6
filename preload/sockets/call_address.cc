// SPDX-License-Identifier: MIT
#include "preload/sockets/call_address.h"

#include <algorithm>
#include <cstring>

#include "preload/process/program_memory.h"

namespace px::shim {
namespace {

// The kernel's own limit.
constexpr std::size_t kMostOfKernel = sizeof(sockaddr_storage);

sa_family_t family_of(const sockaddr* bytes, socklen_t length) {
  sa_family_t family = AF_UNSPEC;
  if (bytes != nullptr && length >= sizeof family) std::memcpy(&family, bytes, sizeof family);
  return family;
}

// Whether the kernel could read it: all of it, if that is not too long. Only bundles may be longer.
bool is_readable(const sockaddr* bytes, std::size_t length) {
  if (bytes == nullptr || !can_read(bytes, std::min(length, kMostOfKernel))) return false;
  if (length <= kMostOfKernel) return true;
  return family_of(bytes, kMostOfKernel) == AF_BUNDLE &&
         can_read(bytes, std::min(length, sizeof(sockaddr_bundle)));
}

}  // namespace

CallAddress known_call_address(const sockaddr* bytes, socklen_t length) {
  return {.family = family_of(bytes, length),
          .endpoint = bundle::endpoint_from_sockaddr(bytes, length),
          .bytes = bytes,
          .length = length,
          .is_read = bytes != nullptr};
}

CallAddress read_call_address(const sockaddr* bytes, socklen_t length) {
  if (is_readable(bytes, length)) return known_call_address(bytes, length);
  return {.bytes = bytes, .length = length};
}

std::optional<CallAddress> call_address_of(const bundle::Endpoint& endpoint, sa_family_t family) {
  if (family == AF_INET && !endpoint.address.is_ipv4()) return std::nullopt;
  CallAddress named{.family = family, .endpoint = endpoint};
  if (family == AF_INET) named.endpoint->scope = 0;
  return named;
}

}  // namespace px::shim
