// SPDX-License-Identifier: MIT
// What pxctl is told, as JSON (docs/protocol.md): pure functions of what the other parts hold.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "broker/config/policy.h"
#include "broker/host/added_router.h"
#include "broker/host/snapshot.h"
#include "broker/identity/processes.h"
#include "broker/routing/routing_demand.h"

namespace px::broker {

class Publisher;
class Server;
class SessionTable;
struct Session;
struct Totals;

struct ReloadOutcome {
  std::chrono::system_clock::time_point time;
  std::vector<std::string> errors;  // empty: the policy is in force
  std::vector<std::string> warnings = {};
};

// What the broker knows of itself, beside its parts.
struct BrokerState {
  std::uint64_t instance = 0;
  std::chrono::system_clock::time_point started;
  std::string socket;
  std::uint64_t policy_generation = 0;
  ReloadOutcome last_reload;
};

[[nodiscard]] nlohmann::json paths_report(const Policy& policy, const Snapshot& snapshot,
                                          const Marks& marks,
                                          const std::vector<AddedRouter>& routers);
[[nodiscard]] nlohmann::json status_report(const BrokerState& state, const Policy& policy,
                                           const Publisher& publisher, const SessionTable& sessions,
                                           const Server& server);
// The programs of one user, or of everyone, those that should be among them, and the profiles of
// those that libpx.so has not come to.
[[nodiscard]] nlohmann::json programs_report(const SessionTable& sessions,
                                             const UncoveredPrograms& uncovered,
                                             const std::map<pid_t, std::string>& without_library,
                                             std::optional<uid_t> user);

// The answer to a reload: its outcome.
[[nodiscard]] nlohmann::json reload_report(const BrokerState& state, const Policy& policy);

[[nodiscard]] nlohmann::json reload_event(const BrokerState& state);
[[nodiscard]] nlohmann::json paths_event(const Snapshot& snapshot);
[[nodiscard]] nlohmann::json session_event(const char* event, const Session& session);
// The same with the session's counters.
[[nodiscard]] nlohmann::json counters_event(const Session& session, const Totals& totals);

// The JSON as text. Names of programs and files need not be UTF-8; what is not, is replaced.
[[nodiscard]] std::string json_text(const nlohmann::json& value);

// Why an entry that could be used cannot by a path, where it needs a mark and has none.
inline constexpr char kUnmarked[] = "a next hop of its own, and the broker sets no marks";
// Why an entry cannot be used now; empty where it can.
[[nodiscard]] std::string why_not_usable(const Entry& entry);
[[nodiscard]] std::string text_of(const Address& address);

}  // namespace px::broker
