// SPDX-License-Identifier: MIT
#include "plan/bundle_wire.h"

namespace px::plan {

bool HealthReport::is_valid() const {
  const auto name = field_text(profile);
  const bool timed = fact == HealthFact::kRoundTrip;
  const bool fits = timed ? alive == 0 && round_trip_ms != 0 && round_trip_ms <= kMostRoundTripMs
                          : fact <= HealthFact::kSctp && round_trip_ms == 0;
  return name && valid_profile_name(*name) && port != 0 && alive <= 1 && fits;
}

bool ExtraPaths::is_valid() const {
  return port != 0 && count != 0 && count <= bundle::kMostMembers;
}

}  // namespace px::plan
