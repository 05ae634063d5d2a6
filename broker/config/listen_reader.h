// SPDX-License-Identifier: MIT
// `listen:` of a profile, what answers of its servers leave by. Paths are taken at their names:
// finish() judges them when all files are read. Holds nothing; not for concurrent use on one draft.
#pragma once

#include "broker/config/draft.h"

namespace px::broker {

// A map with 'mode', or the mode alone. What is wrong goes to the report, and its `via` names to
// `draft.via`.
[[nodiscard]] Listen read_listen(const Value& value, Draft& draft, Report& report);

}  // namespace px::broker
