// SPDX-License-Identifier: MIT
#include "broker/config/server_address.h"

#include <charconv>

namespace px::broker {

std::optional<bundle::Endpoint> server_address_in(std::string_view text, std::uint16_t port) {
  if (const auto whole = bundle::address_from_text(text)) return bundle::Endpoint{*whole, port};
  const auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  std::string_view address = text.substr(0, colon);
  const bool bracketed = address.starts_with('[') && address.ends_with(']');
  if (bracketed) address = address.substr(1, address.size() - 2);
  if (bracketed != (address.find(':') != address.npos)) return std::nullopt;
  const auto parsed = bundle::address_from_text(address);
  std::uint16_t number = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + colon + 1, last, number);
  if (!parsed || error != std::errc() || end != last || number == 0) return std::nullopt;
  return bundle::Endpoint{*parsed, number};
}

}  // namespace px::broker
