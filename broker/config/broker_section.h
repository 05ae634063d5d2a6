// SPDX-License-Identifier: MIT
// `broker:` of one file: settings of the broker, for all profiles. Each key may stand in one file
// alone. Mistakes go to the report. Holds nothing; not for concurrent use on one draft.
#pragma once

#include "broker/config/draft.h"

namespace px::broker {

void read_broker(const Value& section, Draft& draft, Report& report);

}  // namespace px::broker
