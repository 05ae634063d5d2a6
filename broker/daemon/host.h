// SPDX-License-Identifier: MIT
// What the broker asks of the system about itself. Callable from any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace px::broker {

// The cookie of this process's network namespace (SO_NETNS_COOKIE), 0 where the kernel has none.
[[nodiscard]] std::uint64_t network_namespace_cookie();

// Raises the soft limit of open descriptors to the hard one, and returns it.
[[nodiscard]] std::size_t raise_descriptor_limit();

// A number that no earlier broker on this host since boot had; not 0.
[[nodiscard]] std::uint64_t new_instance();

}  // namespace px::broker
