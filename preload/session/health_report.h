// SPDX-License-Identifier: MIT
// Tells the broker whether, or when, a member of a bundle answered (docs/protocol.md, "A program:
// health report"), so that this user's other programs need not find out. Waits for nothing: if the
// broker cannot take a report at once, the report is lost. Changes no errno.
#pragma once

#include <string_view>

#include "plan/health.h"
#include "preload/process/settings.h"

namespace px::shim {

// The key's user does not count: the broker knows whose program this is.
void send_health_report(const Settings& settings, std::string_view profile,
                        const plan::HealthKey& key, const plan::HealthFinding& finding);

}  // namespace px::shim
