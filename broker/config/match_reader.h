// SPDX-License-Identifier: MIT
// `match` of one profile, as read, and what can only be judged when all profiles are known: two
// that would claim the same program. Complaints go to the report. Reading looks users up in the
// host's user database; not for concurrent use on one draft.
#pragma once

#include <vector>

#include "broker/config/draft.h"
#include "broker/config/value_reader.h"

namespace px::broker {

[[nodiscard]] std::vector<Match> read_matches(const Value& list, Report& report);

// Complains of matches of different profiles that hold for one program with equal precision.
void judge_matches(Draft& draft);

}  // namespace px::broker
