// SPDX-License-Identifier: MIT
// `paths:` of one file, as selectors of the draft. Mistakes go to the report. A path with a mistake
// is defined all the same, so that its uses are not reported as unknown. Holds nothing; not for
// concurrent use on one draft.
#pragma once

#include "broker/config/draft.h"

namespace px::broker {

void read_paths(const Value& section, Draft& draft, Report& report);

// The mistake in an interface's name or glob; empty where there is none.
[[nodiscard]] std::string interface_problem(std::string_view glob);

}  // namespace px::broker
