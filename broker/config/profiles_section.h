// SPDX-License-Identifier: MIT
// `profiles:` of one file, and the keys of a profile in px-exec's rules files. Mistakes go to the
// report. Holds nothing; not for concurrent use on one draft.
#pragma once

#include <span>

#include "broker/config/draft.h"
#include "broker/config/value_reader.h"

namespace px::broker {

void read_profiles(const Value& section, Draft& draft, Report& report);

// The keys that read_profile looks for.
[[nodiscard]] std::span<const Key> profile_keys();

[[nodiscard]] Profile read_profile(const Map& map, Draft& draft, Report& report);

}  // namespace px::broker
