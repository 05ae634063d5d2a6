// SPDX-License-Identifier: MIT
// `paths:` of one file, as selectors of the draft. All that is wrong goes to the report, and the
// names are defined all the same, so that nobody is told that a misspelt path is unknown as well.
// Holds nothing; not for concurrent use on one draft.
#pragma once

#include "broker/config/draft.h"

namespace px::broker {

void read_paths(const Value& section, Draft& draft, Report& report);

// What is wrong with an interface's name or glob; empty when nothing is.
[[nodiscard]] std::string interface_problem(std::string_view glob);

}  // namespace px::broker
