// SPDX-License-Identifier: MIT
// `bundles:` of one file: names for hosts with several addresses, for programs whose own syntax has
// no place for a notation (PB-9). Mistakes go to the report. Holds nothing; not for concurrent use
// on one draft.
#pragma once

#include "broker/config/draft.h"
#include "broker/config/value_reader.h"

namespace px::broker {

void read_bundles(const Value& section, Draft& draft, Report& report);

}  // namespace px::broker
