// SPDX-License-Identifier: MIT
// What a program's environment says of libc's resolver (resolv.conf(5), hostname(7)). Not for a
// program with privileges, as in libc. Callable wherever getaddrinfo(3) is; may change errno.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "dns/name.h"
#include "plan/name_wire.h"

namespace px::shim {

// LOCALDOMAIN, and of RES_OPTIONS what a lookup knows: ndots, timeout, attempts and use-vc.
void apply_environment(plan::Lookup* lookup);

// What the file that HOSTALIASES names has for a name without dots.
[[nodiscard]] std::optional<dns::Name> host_alias(std::string_view name);

}  // namespace px::shim
