// SPDX-License-Identifier: MIT
// `listen:` of a profile: by which egress its servers' answers leave. Names of paths are judged by
// finish(), when all files are read. Holds nothing; not for concurrent use on one draft.
#pragma once

#include "broker/config/draft.h"

namespace px::broker {

// A map with 'mode', or the mode alone. Mistakes go to the report, the names of `via` to
// `draft.via`.
[[nodiscard]] Listen read_listen(const Value& value, Draft& draft, Report& report);

}  // namespace px::broker
