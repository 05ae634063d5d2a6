// SPDX-License-Identifier: MIT
// How a plan lets a member of a bundle be reached: by further paths of a connection as by a connect
// of its own. Reads the clock, nothing else.
#pragma once

#include <optional>

#include "broker/routing/member_egress.h"
#include "plan/plan.h"

namespace px::broker {

// Nothing where it is not to be reached, or is the host itself.
[[nodiscard]] std::optional<MemberEgress> egress_of(const plan::Plan& plan,
                                                    const bundle::Endpoint& member);

}  // namespace px::broker
