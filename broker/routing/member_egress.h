// SPDX-License-Identifier: MIT
// The egress that a plan gives a member of a bundle: by it go a connection's extra paths to that
// member. A value.
#pragma once

#include <optional>

#include "libbundle/core/address.h"
#include "plan/layout.h"

namespace px::broker {

struct MemberEgress {
  bundle::Endpoint member;
  std::optional<plan::Entry> entry;  // absent: as the host routes it
};

}  // namespace px::broker
