// SPDX-License-Identifier: MIT
#include "preload/bundles/member_order.h"

#include <algorithm>

namespace px::shim {
namespace {

using bundle::Bundle;
using bundle::Endpoint;

plan::Verdict verdict_for(PlanHolder& holder, const Endpoint& member) {
  return holder.decide({.destination = member.address, .port = member.port, .scope = member.scope});
}

bool is_hopeless(PlanHolder& holder, const Endpoint& member) {
  const plan::Verdict verdict = verdict_for(holder, member);
  switch (verdict.action) {
    case plan::Action::kRefuse:
    case plan::Action::kFail:
      return true;
    case plan::Action::kVia:
      return holder.health(member, verdict.entry.interface_index) == bundle::Health::kDead;
    case plan::Action::kSystem:
      break;
  }
  return holder.health(member, 0) == bundle::Health::kDead;
}

}  // namespace

Bundle best_first(PlanHolder& holder, const Bundle& bundle) {
  Bundle ordered;
  Bundle hopeless;
  for (const Endpoint& member : bundle.members()) {
    Bundle& part = is_hopeless(holder, member) ? hopeless : ordered;
    part.endpoints[part.count++] = member;
  }
  std::copy(hopeless.members().begin(), hopeless.members().end(),
            ordered.endpoints.begin() + ordered.count);
  ordered.count += hopeless.count;
  return ordered;
}

bool all_near(PlanHolder& holder, const Bundle& bundle) {
  const auto members = bundle.members();
  return std::all_of(members.begin(), members.end(), [&holder](const Endpoint& member) {
    const plan::Reason reason = verdict_for(holder, member).reason;
    return reason == plan::Reason::kLoopback || reason == plan::Reason::kOwnAddress ||
           reason == plan::Reason::kOnLink;
  });
}

}  // namespace px::shim
