// SPDX-License-Identifier: MIT
// The name under which DNS knows an address (RFC 1035, 3.5; RFC 3596, 2.5). Pure; callable from any
// thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "dns/name.h"

namespace px::shim {

struct ReverseName {
  dns::Name name;
  std::span<const std::byte> address;  // of the caller's; of a mapped address, its IPv4 part
};

// Nothing for another family or length. An IPv6 address that stands for an IPv4 one has that one's
// name.
[[nodiscard]] std::optional<ReverseName> reverse_of(std::span<const std::byte> address, int family);

}  // namespace px::shim
