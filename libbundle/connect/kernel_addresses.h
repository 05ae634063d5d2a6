// SPDX-License-Identifier: MIT
// The addresses that the kernel uses for one connection: those of an SCTP association, and those of
// an MPTCP connection's subflows. Holds nothing; libc only; callable from any thread and from
// signal handlers. May change errno.
#pragma once

#include <cstdint>

#include "libbundle/core/bundle.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

enum class Side : std::uint8_t { kOwn, kPeer };

// Each address once, v4-mapped ones as IPv4, with its port; empty for any other socket, and for one
// that has fallen back to TCP.
[[nodiscard]] Bundle kernel_addresses(const SystemCalls& system, int fd, Side side);

}  // namespace px::bundle
