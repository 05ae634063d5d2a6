// SPDX-License-Identifier: MIT
// What the published plans were made of. A plain value, read by all parts that answer programs or
// pxctl; one part alone writes it (broker/daemon/enforcement.h).
#pragma once

#include "broker/config/policy.h"
#include "broker/host/snapshot.h"

namespace px::broker {

struct InForce {
  Policy policy;
  Snapshot snapshot;
};

}  // namespace px::broker
