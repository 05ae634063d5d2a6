// SPDX-License-Identifier: MIT
// What pxctl is told of whom a profile's names are asked of, as JSON (docs/protocol.md): pure
// functions of what the other parts hold.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>

#include "broker/config/policy.h"
#include "broker/host/snapshot.h"
#include "broker/publish/name_servers.h"
#include "broker/routing/routing_demand.h"

namespace px::broker {

// `dns` of one of a status' profiles: as the policy has it; null where names are the host's.
[[nodiscard]] nlohmann::json names_report(const Names& names);

// One server, and how it is reached now.
[[nodiscard]] nlohmann::json server_report(const NameServerEgress& server);

// What is known of a server beside how it is reached.
using ServerState = std::function<void(const NameServerEgress& server, nlohmann::json& report)>;

// `dns` of an explanation: each server, and how it is reached now; null likewise.
[[nodiscard]] nlohmann::json name_servers_report(const Names& names, const Policy& policy,
                                                 const Snapshot& snapshot, const Marks& marks,
                                                 const ServerState& add_state = {});

}  // namespace px::broker
