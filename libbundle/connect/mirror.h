// SPDX-License-Identifier: MIT
// What the program itself chose for its socket, and what decides whom that socket can reach: a
// device, a mark, a source address. Holds nothing; callable from any thread and from signal
// handlers. May change errno.
#pragma once

#include "libbundle/connect/egress.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

// Gives a fresh stream socket of the same family what `from` has of these. 0, or why it cannot.
[[nodiscard]] Errno mirror(const SystemCalls& system, int from, int to);

}  // namespace px::bundle
