// SPDX-License-Identifier: MIT
// Asks the broker for extra paths of a socket of this program, to further members of its bundle
// (docs/protocol.md, "A program: extra paths"): MPTCP's subflows and SCTP's egress take
// privileges that programs lack. As exchange() and tell().
#pragma once

#include <cstdint>
#include <span>

#include "libbundle/core/address.h"
#include "preload/process/settings.h"

namespace px::shim {

enum class PathAnswer : std::uint8_t { kAwaited, kNotAwaited };

// At most bundle::kMostMembers members, all of one port. Whether the broker has taken it on; not
// awaited: whether it was told.
[[nodiscard]] bool request_extra_paths(const Settings& settings, int fd,
                                       std::span<const bundle::Endpoint> members,
                                       PathAnswer answer);

}  // namespace px::shim
