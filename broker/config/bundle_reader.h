// SPDX-License-Identifier: MIT
// `bundle:` of a profile: which transports carry its sockets with several addresses, and how.
// Mistakes go to the report. Holds nothing; not for concurrent use on one report.
#pragma once

#include "broker/config/value_reader.h"
#include "plan/bundle_layout.h"

namespace px::broker {

[[nodiscard]] plan::BundleSettings read_bundle(const Value& value, Report& report);

}  // namespace px::broker
