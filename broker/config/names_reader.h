// SPDX-License-Identifier: MIT
// `dns:` of a profile: whom its programs ask for names, and by which path. Names of paths are
// judged by finish(), when all files are read. Holds nothing; not for concurrent use on one draft.
#pragma once

#include "broker/config/draft.h"

namespace px::broker {

// Mistakes go to the report, the names of `via` to `draft.via`.
[[nodiscard]] Names read_names(const Value& value, Draft& draft, Report& report);

}  // namespace px::broker
