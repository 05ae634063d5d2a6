// SPDX-License-Identifier: MIT
#include "broker/host/added_router.h"

#include <algorithm>
#include <array>

#include "plan/layout.h"

namespace px::broker {
namespace {

bool is_interface_name(std::string_view name) {
  return !name.empty() && name.size() < plan::kInterfaceNameSize &&
         std::none_of(name.begin(), name.end(), [](char c) {
           return c == '/' || static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
         });
}

bool is_multicast(const bundle::Address& address) {
  return address.is_ipv4() ? (address.bytes[12] & 0xf0) == 0xe0 : address.bytes[0] == 0xff;
}

}  // namespace

std::string to_text(const AddedRouter& router) {
  std::array<char, bundle::kAddressTextSize> buffer{};
  std::string text(bundle::address_text(router.address, buffer));
  if (!router.interface.empty()) text += "%" + router.interface;
  return text;
}

Expected<AddedRouter> router_from_text(std::string_view text) {
  const auto percent = text.find('%');
  const auto address = bundle::address_from_text(text.substr(0, percent));
  if (!address ||
      (percent != std::string_view::npos && !is_interface_name(text.substr(percent + 1)))) {
    return fail("'" + std::string(text) +
                "' is not a router's address; expected an IPv4 or IPv6 address, or "
                "ADDRESS%INTERFACE");
  }
  if (address->is_loopback_or_unspecified() || is_multicast(*address)) {
    return fail("'" + std::string(text) + "' cannot be a router's address");
  }
  AddedRouter router;
  router.address = *address;
  if (percent != std::string_view::npos) router.interface = text.substr(percent + 1);
  if (address->is_link_local() && router.interface.empty()) {
    return fail("'" + std::string(text) + "' is link-local, so every link may have one; expected " +
                std::string(text) + "%INTERFACE");
  }
  return router;
}

}  // namespace px::broker
