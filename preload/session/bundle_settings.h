// SPDX-License-Identifier: MIT
// How the program's profile uses bundles, by the plan in force. A program without one in its
// environment has none before BrokerSession::ensure_session(): no name is a bundle then, and no
// transport is given. Callable from any thread and from signal handlers; changes no errno.
#pragma once

#include "plan/plan.h"
#include "preload/session/current_plan.h"

namespace px::shim {

[[nodiscard]] inline plan::BundleSettings bundle_settings(const CurrentPlan& plan) {
  return value_of(plan.in_force(), &plan::Plan::bundle_settings);
}

[[nodiscard]] inline bool bundles_are_on(const CurrentPlan& plan) {
  return bundle_settings(plan).transports[0] != plan::BundleTransport::kNone;
}

}  // namespace px::shim
