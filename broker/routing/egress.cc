// SPDX-License-Identifier: MIT
#include "broker/routing/egress.h"

#include <array>

namespace px::broker {
namespace {

constexpr std::string_view kKind = "port";

std::string text_of(const bundle::Address& address) {
  std::array<char, bundle::kAddressTextSize> buffer{};
  return std::string(bundle::address_text(address, buffer));
}

// The text up to the next blank, which is taken off with it.
std::string_view next_word(std::string_view& text) {
  const std::size_t end = text.find(' ');
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return word;
}

}  // namespace

std::string to_key(const Egress& egress) {
  std::string key = std::string(kKind) + " " + egress.interface + " " + text_of(egress.source);
  if (egress.next_hop) key += " " + text_of(*egress.next_hop);
  return key;
}

std::optional<Egress> egress_from_key(std::string_view key) {
  if (next_word(key) != kKind) return std::nullopt;
  Egress egress;
  egress.interface = next_word(key);
  const auto source = bundle::address_from_text(next_word(key));
  if (egress.interface.empty() || !source) return std::nullopt;
  egress.source = *source;
  if (!key.empty()) {
    egress.next_hop = bundle::address_from_text(key);
    if (!egress.next_hop) return std::nullopt;
  }
  return egress;
}

}  // namespace px::broker
