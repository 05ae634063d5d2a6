// SPDX-License-Identifier: MIT
// One rule of a profile, from its map. Names of paths are judged by finish(), when all files are
// read. Holds nothing; not for concurrent use on one draft.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/config/draft.h"

namespace px::broker {

// The rule, or nothing where it was reported. Its `via` names go to `draft.via`.
[[nodiscard]] std::optional<Rule> read_rule(const Value& value, Draft& draft, Report& report);

// A path or a list of paths, in order of preference; the names go to `draft.via`.
[[nodiscard]] std::vector<std::string> read_via(const Value& value, Draft& draft, Report& report);

}  // namespace px::broker
