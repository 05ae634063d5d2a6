// SPDX-License-Identifier: MIT
#include "preload/session/decider.h"

#include "preload/process/clock.h"
#include "preload/process/system_calls.h"

namespace px::shim {
namespace {

plan::Verdict decided(const plan::Plan& plan, const plan::Call& call) {
  const KeepErrno keep;
  const std::int64_t now = plan.needs_time() ? monotonic_ms() : 0;
  return plan.decide(call, static_cast<std::uint64_t>(now));
}

}  // namespace

plan::Verdict Decider::verdict_of(const plan::Plan& plan, const plan::Call& call) const {
  return answered_.empty() ? decided(plan, call) : verdict_by_names(plan, call);
}

// Apart, so that no other decision has the names on its stack.
[[gnu::noinline]] plan::Verdict Decider::verdict_by_names(const plan::Plan& plan,
                                                          plan::Call call) const {
  dns::NameChain names;
  if (answered_.find(call.destination, &names)) call.names = &names;
  return decided(plan, call);
}

bool Decider::is_passthrough() const {
  if (plan_.is_retired()) return true;
  const auto plan = plan_.latest();
  return plan && !plan->decides() && session_.knows(*plan);
}

std::optional<plan::Verdict> Decider::foresee(const plan::Call& call) const {
  const auto plan = plan_.in_force();
  return plan ? std::optional(verdict_of(*plan, call)) : std::nullopt;
}

// An unsteered call needs no welcome where the plan is known to be the program's; a steered call
// does, so that the broker knows of the program.
plan::Verdict Decider::decide(const plan::Call& call) {
  using enum plan::Action;
  using Joining = BrokerSession::Joining;
  if (plan_.is_retired()) return {};
  bool closed = session_.fails_closed();
  if (const auto plan = plan_.latest()) {
    const plan::Verdict verdict = verdict_of(*plan, call);
    const bool unsteered = verdict.action == kSystem;
    if (unsteered ? session_.knows(*plan) : session_.has_joined(*plan)) return verdict;
    closed = closed && !unsteered;
  }
  const Joining joining = session_.join(closed);
  const auto plan = plan_.latest();
  if (joining == Joining::kPlan && plan) return verdict_of(*plan, call);
  if (joining == Joining::kNoProfile || !closed) return {};
  return {kFail, plan::Reason::kNoPlan};
}

bool Decider::may_redirect() const {
  if (plan_.is_retired()) return false;
  const auto plan = plan_.latest();
  return !plan || !session_.knows(*plan) || plan->redirects();
}

// As decide(): who may not ask for the profile is not answered by the host's servers.
plan::Redirection Decider::redirect(const plan::Call& call, bool ipv4_only) {
  using Joining = BrokerSession::Joining;
  const auto redirected_by = [&](const plan::Plan& plan) {
    const KeepErrno keep;
    const std::int64_t now = plan.needs_time() ? monotonic_ms() : 0;
    return plan.redirect(call, ipv4_only, static_cast<std::uint64_t>(now));
  };
  if (plan_.is_retired()) return {};
  if (const auto plan = plan_.latest(); plan && session_.knows(*plan)) return redirected_by(*plan);
  const bool closed = session_.fails_closed();
  const Joining joining = session_.join(closed);
  const auto plan = plan_.latest();
  if (joining == Joining::kPlan && plan) return redirected_by(*plan);
  if (joining == Joining::kNoProfile || !closed) return {};
  // Elsewhere decide() fails.
  return {.applies = call.destination.is_loopback_or_unspecified(), .server = std::nullopt};
}

}  // namespace px::shim
