// SPDX-License-Identifier: MIT
// What pxctl is told of whom a profile's names are asked of, as JSON (docs/protocol.md): pure
// functions of what the other parts hold.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "broker/config/policy.h"
#include "broker/host/snapshot.h"
#include "broker/routing/routing_demand.h"

namespace px::broker {

// `dns` of one of a status' profiles: as the policy has it; null where names are the host's.
[[nodiscard]] nlohmann::json names_report(const Names& names);

// `dns` of an explanation: each server, and how it is reached now; null likewise.
[[nodiscard]] nlohmann::json name_servers_report(const Profile& profile, const Policy& policy,
                                                 const Snapshot& snapshot, const Marks& marks);

}  // namespace px::broker
