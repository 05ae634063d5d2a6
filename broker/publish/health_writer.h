// SPDX-License-Identifier: MIT
// Writes programs' health reports into a plan file's table (plan/health.h). No report takes memory
// beyond the table. In a full set the user with the most records loses the one that would end
// first, so that no user crowds out another. One writer a table; readers at any time.
#pragma once

#include <cstdint>

#include "plan/health.h"

namespace px::broker {

// In place of what the table said of the key; `now_ms` is CLOCK_BOOTTIME in milliseconds.
void write_health(plan::HealthTable& table, const plan::HealthKey& key,
                  const plan::HealthFinding& finding, std::uint64_t now_ms);

}  // namespace px::broker
