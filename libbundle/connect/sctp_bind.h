// SPDX-License-Identifier: MIT
// Binding an SCTP socket to exactly the addresses of a bundle, as sctp_bindx(3) does. May change
// errno.
#pragma once

#include "libbundle/core/bundle.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

// 0, or the errno of the bind. Another socket tries the addresses first, since a bind that fails
// half-way leaves the program's socket bound to the first address. An IPv6 socket takes both
// families, an IPv4 one (EINVAL) only IPv4.
[[nodiscard]] int sctp_bind(const SystemCalls& system, int fd, const Bundle& set);

}  // namespace px::bundle
