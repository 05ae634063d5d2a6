// SPDX-License-Identifier: MIT
#include "libbundle/core/address.h"

#include <arpa/inet.h>

#include <cstring>

namespace px::bundle {

std::optional<Endpoint> endpoint_from_sockaddr(const sockaddr* address, socklen_t length) {
  if (address == nullptr || length < sizeof(sa_family_t)) return std::nullopt;
  sa_family_t family;
  std::memcpy(&family, address, sizeof family);  // not by its member: it may be unaligned
  Endpoint endpoint;
  if (family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in in;
    std::memcpy(&in, address, sizeof in);
    endpoint.address = ipv4_address(ntohl(in.sin_addr.s_addr));
    endpoint.port = ntohs(in.sin_port);
    return endpoint;
  }
  // Linux takes an AF_INET6 address without its scope id (RFC 2133's form), so px does too.
  constexpr socklen_t kWithoutScope = offsetof(sockaddr_in6, sin6_scope_id);
  if (family == AF_INET6 && length >= kWithoutScope) {
    sockaddr_in6 in6{};
    std::memcpy(&in6, address, length < sizeof in6 ? kWithoutScope : sizeof in6);
    std::memcpy(endpoint.address.bytes.data(), &in6.sin6_addr, 16);
    endpoint.port = ntohs(in6.sin6_port);
    endpoint.scope = in6.sin6_scope_id;
    return endpoint;
  }
  return std::nullopt;
}

socklen_t sockaddr_from_endpoint(const Endpoint& endpoint, sa_family_t family,
                                 sockaddr_storage* storage) {
  if (family == AF_INET) {
    if (!endpoint.address.is_ipv4()) return 0;
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(endpoint.port);
    std::memcpy(&in.sin_addr, endpoint.address.bytes.data() + 12, 4);
    std::memcpy(storage, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(endpoint.port);
  in6.sin6_scope_id = endpoint.scope;
  std::memcpy(&in6.sin6_addr, endpoint.address.bytes.data(), 16);
  std::memcpy(storage, &in6, sizeof in6);
  return sizeof in6;
}

std::optional<Address> address_from_text(std::string_view text) {
  std::array<char, kAddressTextSize> terminated{};
  if (text.size() >= terminated.size()) return std::nullopt;
  text.copy(terminated.data(), text.size());
  // inet_pton stops at a NUL: text that holds one is no address.
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  in_addr in;
  if (inet_pton(AF_INET, terminated.data(), &in) == 1) return ipv4_address(ntohl(in.s_addr));
  Address address;
  if (inet_pton(AF_INET6, terminated.data(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::string_view address_text(const Address& address, std::span<char, kAddressTextSize> buffer) {
  const bool ipv4 = address.is_ipv4();
  const std::uint8_t* bytes = address.bytes.data() + (ipv4 ? 12 : 0);
  inet_ntop(ipv4 ? AF_INET : AF_INET6, bytes, buffer.data(), buffer.size());
  return buffer.data();
}

unsigned common_prefix_length(const Address& a, const Address& b) {
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned difference = a.bytes[i] ^ b.bytes[i];
    if (difference != 0) {
      return 8 * i + static_cast<unsigned>(__builtin_clz(difference)) - 24;
    }
  }
  return 128;
}

}  // namespace px::bundle
