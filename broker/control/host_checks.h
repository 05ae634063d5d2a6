// SPDX-License-Identifier: MIT
// Collects what `pxctl doctor` judges: the kernel's state, px's part of it, and the sysctls that
// matter. Not pure, unlike the rest of the folder: blocks for as long as reading takes.
#pragma once

#include "broker/config/policy.h"
#include "broker/control/doctor.h"
#include "broker/host/snapshot.h"
#include "broker/routing/routing.h"
#include "util/error.h"

namespace px::broker {

[[nodiscard]] Expected<HostChecks> collect_host_checks(const Policy& policy,
                                                       const Snapshot& snapshot, Routing& routing);

}  // namespace px::broker
