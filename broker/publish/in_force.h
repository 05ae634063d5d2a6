// SPDX-License-Identifier: MIT
// What the published plans were made of. A plain value, read by all parts that answer programs or
// pxctl; written at start, and then by broker/daemon/enforcement.h alone.
#pragma once

#include "broker/config/policy.h"
#include "broker/host/snapshot.h"

namespace px::broker {

struct InForce {
  Policy policy;
  Snapshot snapshot;
};

}  // namespace px::broker
