// SPDX-License-Identifier: MIT
// How much of the process's descriptors connections and programs may take. Called once, at start.
#pragma once

#include <cstddef>

#include "broker/names/lookups.h"
#include "broker/sessions/server.h"
#include "broker/sessions/session_table.h"

namespace px::broker {

// Raises the soft limit of open descriptors to the hard one, and returns it.
[[nodiscard]] std::size_t raise_descriptor_limit();

// Of so many descriptors. A quarter is left for everything else.
[[nodiscard]] Server::Limits connection_limits(std::size_t descriptors);
[[nodiscard]] SessionTable::Limits session_limits(std::size_t descriptors);
// At most half of that quarter.
[[nodiscard]] Lookups::Limits lookup_limits(std::size_t descriptors);

}  // namespace px::broker
