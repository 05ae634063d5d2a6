// SPDX-License-Identifier: MIT
#include "preload/names/reverse_name.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace px::shim {
namespace {

constexpr std::size_t kIpv4Size = 4;
constexpr std::size_t kIpv6Size = 16;
constexpr std::size_t kPrefix = kIpv6Size - kIpv4Size;  // before an IPv4 address in an IPv6 one

bool append(dns::Name* name, std::string_view label) {
  return name->append({reinterpret_cast<const std::uint8_t*>(label.data()), label.size()});
}

bool append_number(dns::Name* name, std::uint8_t number) {
  std::array<char, 3> digits{};
  std::size_t count = 0;
  if (number >= 100) digits[count++] = static_cast<char>('0' + number / 100);
  if (number >= 10) digits[count++] = static_cast<char>('0' + number / 10 % 10);
  digits[count++] = static_cast<char>('0' + number % 10);
  return append(name, {digits.data(), count});
}

// Mapped (::ffff:a.b.c.d), or of the form ::a.b.c.d, which is no more in use; as libc has it.
bool stands_for_ipv4(std::span<const std::byte> address) {
  const auto first = address.first(kPrefix);
  const auto is = [](std::byte wanted) {
    return [wanted](std::byte byte) { return byte == wanted; };
  };
  if (!std::all_of(first.begin(), first.begin() + 10, is(std::byte{0}))) return false;
  if (std::all_of(first.begin() + 10, first.end(), is(std::byte{0xff}))) return true;
  const auto last = address.subspan(kPrefix);
  const bool own = std::all_of(last.begin(), last.begin() + 3, is(std::byte{0}));
  return std::all_of(first.begin() + 10, first.end(), is(std::byte{0})) && !own;
}

bool append_ipv4(dns::Name* name, std::span<const std::byte> address) {
  for (std::size_t i = kIpv4Size; i-- > 0;) {
    if (!append_number(name, std::to_integer<std::uint8_t>(address[i]))) return false;
  }
  return append(name, "in-addr") && append(name, "arpa");
}

bool append_ipv6(dns::Name* name, std::span<const std::byte> address) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = kIpv6Size; i-- > 0;) {
    const auto byte = std::to_integer<std::uint8_t>(address[i]);
    if (!append(name, kDigits.substr(byte & 0xf, 1))) return false;
    if (!append(name, kDigits.substr(byte >> 4, 1))) return false;
  }
  return append(name, "ip6") && append(name, "arpa");
}

}  // namespace

std::optional<ReverseName> reverse_of(std::span<const std::byte> address, int family) {
  const std::size_t size = family == AF_INET6 ? kIpv6Size : kIpv4Size;
  if ((family != AF_INET && family != AF_INET6) || address.size() != size) return std::nullopt;
  ReverseName reverse{{}, address};
  if (size == kIpv6Size && stands_for_ipv4(address)) reverse.address = address.subspan(kPrefix);
  const bool ipv4 = reverse.address.size() == kIpv4Size;
  if (!(ipv4 ? append_ipv4 : append_ipv6)(&reverse.name, reverse.address)) return std::nullopt;
  return reverse;
}

}  // namespace px::shim
