// SPDX-License-Identifier: MIT
// `pxctl explain`: the verdict that a program would meet, from the plan in force and the same
// decision function, with the rule and the candidates behind it.
#pragma once

#include <sys/types.h>

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config/policy.h"
#include "broker/host/snapshot.h"
#include "broker/publish/publisher.h"
#include "plan/plan.h"

namespace px::broker {

// What a rule's `proto` can tell apart, by name.
struct TransportName {
  std::string_view name;
  plan::Transport transport;
};
inline constexpr TransportName kTransportNames[] = {{"tcp", plan::Transport::kTcp},
                                                    {"udp", plan::Transport::kUdp},
                                                    {"icmp", plan::Transport::kIcmp},
                                                    {"other", plan::Transport::kOther}};

struct Question {
  std::optional<std::string> profile;  // absent: none; everything is unsteered
  std::string profile_from;            // "request", "session", "default-profile", "none"
  plan::Call call;
  dns::NameChain names;           // that the program knows the destination by; none: for an address
  std::uint64_t now_ms = 0;       // CLOCK_MONOTONIC, as the plan's heartbeat
  uid_t user = 0;                 // the program's
  std::uint64_t boottime_ms = 0;  // CLOCK_BOOTTIME, as the health records
};

// `others`: names that the profile's servers have answered with the destination.
[[nodiscard]] nlohmann::json explain(const Question& question, const Policy& policy,
                                     const Snapshot& snapshot, const Marks& marks,
                                     const Publisher& publisher,
                                     const std::vector<dns::NameChain>& others = {});

}  // namespace px::broker
