// SPDX-License-Identifier: MIT
// `match` of one profile, and the check, when all profiles are known, that no two matches claim the
// same program. Mistakes go to the report. Reading looks users up in the host's user database; not
// for concurrent use on one draft.
#pragma once

#include <vector>

#include "broker/config/draft.h"
#include "broker/config/value_reader.h"

namespace px::broker {

[[nodiscard]] std::vector<Match> read_matches(const Value& list, Report& report);

// Complains of matches of different profiles that hold for one program with equal precision.
void judge_matches(Draft& draft);

}  // namespace px::broker
