// SPDX-License-Identifier: MIT
// Where the broker's policy comes from: the policy file, or, for a private broker, what px-exec was
// told with --via or --rules.
#pragma once

#include <string>
#include <vector>

#include "broker/config/policy.h"
#include "broker/daemon/options.h"
#include "broker/host/snapshot.h"

namespace px::broker {

// Names of the profiles that stand for px-exec's --via and --rules.
inline constexpr char kViaProfile[] = "via";
inline constexpr char kRulesProfile[] = "rules";

[[nodiscard]] PolicyResult read_policy(const Options& options, const Snapshot& snapshot);

// Each as "FILE:LINE:COLUMN: MESSAGE".
[[nodiscard]] std::vector<std::string> texts_of(const std::vector<Diagnostic>& diagnostics);
// The lines as one text, without a newline at its end.
[[nodiscard]] std::string joined(const std::vector<std::string>& lines);

}  // namespace px::broker
