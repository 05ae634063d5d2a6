// SPDX-License-Identifier: MIT
// Copies the program's own choices that decide which hosts its socket can reach: device, mark and
// source address. May change errno.
#pragma once

#include "libbundle/connect/egress.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

// From `from` to `to`, a fresh stream socket of the same family. 0, or the errno.
[[nodiscard]] Errno mirror(const SystemCalls& system, int from, int to);

}  // namespace px::bundle
