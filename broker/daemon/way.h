// SPDX-License-Identifier: MIT
// What px-exec's `--via WAY` stands for: one path, and the profile that sends everything through
// it. Pure functions.
#pragma once

#include <string>

#include "broker/config/policy.h"
#include "broker/host/snapshot.h"
#include "util/error.h"

namespace px::broker {

// A path of the policy of this name, the entry of this number, or an interface that has entries:
// the first of these that there is. The error names what there is.
[[nodiscard]] Expected<PathSelector> path_of_way(const std::string& way, const Policy& policy,
                                                 const Snapshot& snapshot);

// Everything through this path.
[[nodiscard]] Profile profile_through(const PathSelector& path, const std::string& profile_name,
                                      const std::string& way);

}  // namespace px::broker
