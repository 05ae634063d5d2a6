// SPDX-License-Identifier: MIT
#include "broker/config/network_text.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <optional>

#include "broker/config/suggestion.h"

namespace px::broker {
namespace {

constexpr unsigned kMappedLength = 96;
constexpr unsigned kAddressBits = 128;
constexpr std::string_view kAny[] = {"any"};
// What other programs call all destinations.
constexpr std::string_view kAnyElsewhere[] = {"default", "all", "*", "everything", "0/0"};

std::optional<unsigned> number(std::string_view text, unsigned most) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

// The first `length` bits, then zeros.
Address masked(Address address, unsigned length) {
  for (unsigned i = 0; i < address.bytes.size(); ++i) {
    const unsigned kept = length > 8 * i ? std::min(length - 8 * i, 8u) : 0;
    address.bytes[i] = static_cast<std::uint8_t>(address.bytes[i] & (0xff00u >> kept));
  }
  return address;
}

std::string text_of(const Network& network) {
  std::array<char, bundle::kAddressTextSize> buffer{};
  const bool ipv4 = network.base.is_ipv4() && network.prefix_length >= kMappedLength;
  const unsigned length = network.prefix_length - (ipv4 ? kMappedLength : 0);
  return std::string(bundle::address_text(network.base, buffer)) + "/" + std::to_string(length);
}

// All of the network but ::ffff:0:0/96, which it holds: the sibling at each step down to that.
std::vector<Network> without_mapped(const Network& network) {
  std::vector<Network> networks;
  const Address mapped = bundle::ipv4_address(0);
  for (unsigned length = network.prefix_length + 1; length <= kMappedLength; ++length) {
    Address sibling = masked(mapped, length);
    sibling.bytes[(length - 1) / 8] ^= static_cast<std::uint8_t>(0x80u >> (length - 1) % 8);
    networks.push_back({sibling, length});
  }
  return networks;
}

// Of 255.0.0.0, 8; nothing where the text is no mask, or its ones are not all in front.
std::optional<unsigned> netmask_length(std::string_view text) {
  const auto mask = bundle::address_from_text(text);
  if (!mask || !mask->is_ipv4() || text.find(':') != std::string_view::npos) return std::nullopt;
  unsigned length = 0;
  while (length < kAddressBits - kMappedLength &&
         (mask->bytes[12 + length / 8] & (0x80u >> length % 8)) != 0) {
    ++length;
  }
  return masked(*mask, kMappedLength + length) == *mask ? std::optional(length) : std::nullopt;
}

tl::expected<std::vector<Network>, std::string> parse_network(std::string_view text,
                                                              std::size_t slash) {
  const std::string_view address_part = text.substr(0, slash);
  const std::string_view length_part = text.substr(slash + 1);
  const auto address = bundle::address_from_text(address_part);
  if (!address) {
    return tl::make_unexpected("bad network " + in_quotes(text) + ": " + in_quotes(address_part) +
                               " is not an IPv4 or IPv6 address");
  }
  const bool ipv6_text = address_part.find(':') != std::string_view::npos;
  const unsigned most = ipv6_text ? kAddressBits : kAddressBits - kMappedLength;
  const bool is_netmask = length_part.find('.') != std::string_view::npos;
  if (is_netmask && ipv6_text) {
    return tl::make_unexpected("an IPv6 network has no netmask: " + in_quotes(text) +
                               "; expected a prefix length, as in 2001:db8::/32");
  }
  const auto length = is_netmask ? netmask_length(length_part) : number(length_part, most);
  if (!length && is_netmask) {
    return tl::make_unexpected("bad netmask " + in_quotes(length_part) + " in " + in_quotes(text) +
                               "; expected ones in front alone, as in 255.255.0.0, or a prefix "
                               "length");
  }
  if (!length) {
    return tl::make_unexpected("bad prefix length " + in_quotes(length_part) + " in " +
                               in_quotes(text) + "; expected a number from 0 to " +
                               std::to_string(most));
  }
  const unsigned prefix_length = ipv6_text ? *length : *length + kMappedLength;
  const Network network{masked(*address, prefix_length), prefix_length};
  if (network.base != *address) {
    return tl::make_unexpected(std::string(text) + " has host bits set; the network is " +
                               text_of(network));
  }
  const Address mapped = bundle::ipv4_address(0);
  if (prefix_length < kMappedLength &&
      bundle::common_prefix_length(network.base, mapped) >= prefix_length) {
    return without_mapped(network);
  }
  return std::vector<Network>{network};
}

// Letters, also those that no host's name has, or what a pattern begins with.
bool looks_like_name(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c < 0;
  };
  const auto allowed = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == '*';
  };
  return std::all_of(text.begin(), text.end(), allowed) &&
         std::any_of(text.begin(), text.end(), [&](char c) { return is_letter(c) || c == '*'; });
}

bool means_any(std::string_view text) {
  if (text == kAny[0] || std::ranges::find(kAnyElsewhere, text) != std::end(kAnyElsewhere)) {
    return true;
  }
  return text.find('.') == text.npos && closest(text, kAny).has_value();
}

}  // namespace

bool means_name(std::string_view text) {
  return !means_any(text) && looks_like_name(text);
}

tl::expected<std::vector<Network>, std::string> parse_destination(std::string_view text) {
  if (text == kAny[0]) return std::vector<Network>{Network{}};
  if (std::ranges::find(kAnyElsewhere, text) != std::end(kAnyElsewhere)) {
    return tl::make_unexpected("bad destination " + in_quotes(text) +
                               "; 'any' stands for all destinations");
  }
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) return parse_network(text, slash);
  if (const auto address = bundle::address_from_text(text)) {
    return std::vector<Network>{{*address, kAddressBits}};
  }
  if (const auto meant = closest(text, kAny)) {
    return tl::make_unexpected("bad destination " + in_quotes(text) + "; did you mean 'any'?");
  }
  return tl::make_unexpected("bad destination " + in_quotes(text) +
                             "; expected a network (10.0.0.0/8), an address, a name or 'any'");
}

tl::expected<PortRange, std::string> parse_ports(std::string_view text) {
  const auto port = [](std::string_view word) -> std::optional<std::uint16_t> {
    const auto value = number(word, 65535);
    return value && *value != 0 ? std::optional(static_cast<std::uint16_t>(*value)) : std::nullopt;
  };
  const std::size_t dash = text.find('-');
  const auto low = port(text.substr(0, dash));
  const auto high = dash == std::string_view::npos ? low : port(text.substr(dash + 1));
  if (!low || !high) {
    return tl::make_unexpected("bad port " + in_quotes(text) +
                               "; expected a number from 1 to 65535, a range LOW-HIGH, or a "
                               "service's name");
  }
  if (*low > *high) {
    return tl::make_unexpected("port range " + in_quotes(text) + " is reversed; expected '" +
                               std::to_string(*high) + "-" + std::to_string(*low) + "'");
  }
  return PortRange{*low, *high};
}

}  // namespace px::broker
