// SPDX-License-Identifier: MIT
// The way that a plan gives a member of a bundle: what further paths of a connection are made by.
// A value.
#pragma once

#include <optional>

#include "libbundle/core/address.h"
#include "plan/layout.h"

namespace px::broker {

struct MemberEgress {
  bundle::Endpoint member;
  std::optional<plan::Entry> entry;  // absent: as the system would
};

}  // namespace px::broker
