// SPDX-License-Identifier: MIT
// `pxd --check`: says what is wrong with a policy, without a broker. Called once, by main.
#pragma once

#include "broker/daemon/options.h"

namespace px::broker {

// Prints the answer on standard output; 0 for a good policy, 1 for a bad one. Paths that select
// nothing on this host are said, and no fault of the policy.
[[nodiscard]] int check_policy(const Options& options);

}  // namespace px::broker
