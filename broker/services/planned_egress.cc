// SPDX-License-Identifier: MIT
#include "broker/services/planned_egress.h"

#include "util/clock.h"

namespace px::broker {

std::optional<MemberEgress> planned_egress(const plan::Plan& plan, const bundle::Endpoint& member) {
  if (member.address.is_loopback_or_unspecified()) return std::nullopt;
  const plan::Verdict verdict =
      plan.decide({member.address, member.port, member.scope}, monotonic_ms());
  if (verdict.action == plan::Action::kVia) return MemberEgress{member, verdict.entry};
  if (verdict.action == plan::Action::kSystem) return MemberEgress{member, std::nullopt};
  return std::nullopt;
}

}  // namespace px::broker
