// SPDX-License-Identifier: MIT
// How a plan has a member of a bundle reached: by an extra path as by a connect of its own. Reads
// the clock, nothing else.
#pragma once

#include <optional>

#include "broker/routing/member_egress.h"
#include "plan/plan.h"

namespace px::broker {

// Nothing where the member is not to be reached, or is the host itself.
[[nodiscard]] std::optional<MemberEgress> planned_egress(const plan::Plan& plan,
                                                         const bundle::Endpoint& member);

}  // namespace px::broker
