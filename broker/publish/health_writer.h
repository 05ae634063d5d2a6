// SPDX-License-Identifier: MIT
// Writes what programs found out into a plan file's table (plan/health.h). The table is all that
// there is: what programs send can take no more memory than it. Where a set is full, the user who
// has most of it loses what would end first there, so that nobody is crowded out by another.
// One writer a table; readers at any time.
#pragma once

#include <cstdint>

#include "plan/health.h"

namespace px::broker {

// In place of what the table said of the key; `now_ms` is CLOCK_BOOTTIME in milliseconds.
void write_health(plan::HealthTable& table, const plan::HealthKey& key, bool alive,
                  std::uint64_t now_ms);

}  // namespace px::broker
