// SPDX-License-Identifier: MIT
#include "plan/bundle_wire.h"

namespace px::plan {

bool HealthReport::is_valid() const {
  const auto name = field_text(profile);
  return name && valid_profile_name(*name) && port != 0 && alive <= 1;
}

bool ExtraPaths::is_valid() const {
  return port != 0 && count != 0 && count <= bundle::kMostMembers;
}

}  // namespace px::plan
