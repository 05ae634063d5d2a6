// SPDX-License-Identifier: MIT
// What `pxctl names` is told, as JSON (docs/protocol.md): whom each profile's names are asked of,
// and what the broker remembers of that. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "broker/names/lookups.h"
#include "broker/publish/in_force.h"

namespace px::broker {

[[nodiscard]] nlohmann::json lookups_report(const Lookups& lookups, const InForce& in_force,
                                            const Marks& marks);

}  // namespace px::broker
