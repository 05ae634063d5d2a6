// SPDX-License-Identifier: MIT
// A next hop that somebody named (`pxctl router add`, PX-7), whatever the routing table shows: a
// plain value, and its text. Pure; callable from any thread.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "libbundle/core/address.h"
#include "util/error.h"

namespace px::broker {

struct AddedRouter {
  bundle::Address address;
  std::string interface;  // empty: every interface that has its network; never for link-local

  friend auto operator<=>(const AddedRouter&, const AddedRouter&) = default;
};

// "ADDRESS" or "ADDRESS%INTERFACE".
[[nodiscard]] std::string to_text(const AddedRouter& router);
// An error says what was expected: anything else, an address that no router can have, a link-local
// one without an interface.
[[nodiscard]] Expected<AddedRouter> router_from_text(std::string_view text);

}  // namespace px::broker
