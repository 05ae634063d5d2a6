// SPDX-License-Identifier: MIT
// What pxctl is told of bundles, as JSON (docs/protocol.md): pure functions of what the other parts
// hold.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "broker/config/policy.h"
#include "broker/publish/publisher.h"
#include "plan/plan.h"

namespace px::broker {

// The answer about a name, as every program finds it in its plan.
[[nodiscard]] nlohmann::json bundle_report(const std::string& name, const Publisher& publisher);

// `bundles` of a status, and the `bundle` of one of its profiles.
[[nodiscard]] nlohmann::json bundles_report(const std::vector<BundleDefinition>& bundles);
[[nodiscard]] nlohmann::json settings_report(const plan::BundleSettings& settings);

[[nodiscard]] const char* name_of(bundle::Health health);

}  // namespace px::broker
