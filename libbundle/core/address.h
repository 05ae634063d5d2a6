// SPDX-License-Identifier: MIT
// One IP address of either family, in the one form that px compares, sorts and publishes: sixteen
// bytes, IPv4 as ::ffff:a.b.c.d. It stands in libbundle, the lowest layer, because bundles are made
// of addresses as much as plans are. No heap, no locks, libc only: callable from any thread and
// from signal handlers.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace px::bundle {

// Room for any address text and its NUL.
inline constexpr std::size_t kAddressTextSize = INET6_ADDRSTRLEN;

struct Address {
  std::array<std::uint8_t, 16> bytes{};  // network byte order

  friend constexpr auto operator<=>(const Address&, const Address&) = default;

  [[nodiscard]] constexpr bool is_ipv4() const {
    for (std::size_t i = 0; i < 10; ++i) {
      if (bytes[i] != 0) return false;
    }
    return bytes[10] == 0xff && bytes[11] == 0xff;
  }

  // 127.0.0.0/8 or ::1.
  [[nodiscard]] constexpr bool is_loopback() const {
    if (is_ipv4()) return bytes[12] == 127;
    for (std::size_t i = 0; i < 15; ++i) {
      if (bytes[i] != 0) return false;
    }
    return bytes[15] == 1;
  }

  // 0.0.0.0 or ::. As a destination, Linux takes it for the loopback address.
  [[nodiscard]] constexpr bool is_unspecified() const {
    for (std::size_t i = is_ipv4() ? 12 : 0; i < 16; ++i) {
      if (bytes[i] != 0) return false;
    }
    return true;
  }

  // As a destination, the host itself: nothing to decide about.
  [[nodiscard]] constexpr bool is_loopback_or_unspecified() const {
    return is_loopback() || is_unspecified();
  }

  // fe80::/10 (RFC 4291) or 169.254.0.0/16 (RFC 3927).
  [[nodiscard]] constexpr bool is_link_local() const {
    if (is_ipv4()) return bytes[12] == 169 && bytes[13] == 254;
    return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  }

  // An IPv6 address that means something only together with an interface (RFC 4007): fe80::/10, and
  // multicast of interface or link scope. Of all others Linux ignores the scope id.
  [[nodiscard]] constexpr bool is_scoped() const {
    if (bytes[0] == 0xff) return (bytes[1] & 0x0f) == 1 || (bytes[1] & 0x0f) == 2;
    return !is_ipv4() && is_link_local();
  }
};

// An address with what a sockaddr carries beside it.
struct Endpoint {
  Address address;
  std::uint16_t port = 0;   // host byte order
  std::uint32_t scope = 0;  // sin6_scope_id: an interface index, 0 for none
};

// 32 bits in host byte order, most significant byte first in the text form.
[[nodiscard]] constexpr Address ipv4_address(std::uint32_t host_order) {
  Address address;
  address.bytes[10] = address.bytes[11] = 0xff;
  for (std::size_t i = 0; i < 4; ++i) {
    address.bytes[12 + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
  }
  return address;
}

// The endpoint in a sockaddr_in or sockaddr_in6; nothing for a null pointer, another family or a
// length shorter than the family's structure. The sockaddr may be unaligned.
[[nodiscard]] std::optional<Endpoint> endpoint_from_sockaddr(const sockaddr* address,
                                                             socklen_t length);

// Writes the endpoint as a sockaddr of `family` (AF_INET or AF_INET6; IPv4 in AF_INET6 is written
// v4-mapped). Returns its length; 0 where an IPv6 address is asked for as AF_INET.
[[nodiscard]] socklen_t sockaddr_from_endpoint(const Endpoint& endpoint, sa_family_t family,
                                               sockaddr_storage* storage);

// A numeric IPv4 (dotted quad) or IPv6 (RFC 4291 section 2.2) address without scope; nothing for
// any other text. v4-mapped text gives the IPv4 address.
[[nodiscard]] std::optional<Address> address_from_text(std::string_view text);

// The canonical text: dotted quad, or RFC 5952. The view points into `buffer`.
[[nodiscard]] std::string_view address_text(const Address& address,
                                            std::span<char, kAddressTextSize> buffer);

// Length of the common prefix of two addresses in bits, 0 to 128.
[[nodiscard]] unsigned common_prefix_length(const Address& a, const Address& b);

}  // namespace px::bundle
