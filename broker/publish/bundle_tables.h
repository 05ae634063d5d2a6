// SPDX-License-Identifier: MIT
// The policy's names for bundles as the tables that a plan holds of them (plan/bundle_layout.h).
// Pure.
#pragma once

#include <vector>

#include "broker/config/policy.h"
#include "plan/bundle_layout.h"

namespace px::broker {

struct BundleTables {
  std::vector<plan::BundleName> names;  // sorted by name
  std::vector<char> text;
};

[[nodiscard]] BundleTables bundle_tables_of(const std::vector<BundleDefinition>& bundles);

}  // namespace px::broker
