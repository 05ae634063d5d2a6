// SPDX-License-Identifier: MIT
// `bundle:` of a profile, read: what its sockets with several addresses are carried by. All that is
// wrong goes to the report. Holds nothing; not for concurrent use on one report.
#pragma once

#include "broker/config/value_reader.h"
#include "plan/bundle_layout.h"

namespace px::broker {

[[nodiscard]] plan::BundleSettings read_bundle(const Value& value, Report& report);

}  // namespace px::broker
