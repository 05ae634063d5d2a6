// SPDX-License-Identifier: MIT
// The number that a broker announces itself by in its plans, and in its answers to hellos. Callable
// from any thread.
#pragma once

#include <cstdint>

namespace px::broker {

// One that no earlier broker on this host since boot had; not 0.
[[nodiscard]] std::uint64_t new_instance();

}  // namespace px::broker
