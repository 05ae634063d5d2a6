// SPDX-License-Identifier: MIT
#include "broker/services/lookups_report.h"

#include <nlohmann/json.hpp>

#include "broker/control/name_reports.h"

namespace px::broker {

nlohmann::json lookups_report(const Lookups& lookups, const InForce& in_force, const Marks& marks) {
  nlohmann::json profiles = nlohmann::json::array();
  for (const Profile& profile : in_force.policy.profiles) {
    const auto add_state = [&](const NameServerEgress& server, nlohmann::json& report) {
      report["silent"] = lookups.was_silent(server);
      report["refused"] = lookups.was_refused(server);
    };
    auto report =
        name_servers_report(profile.names, in_force.policy, in_force.snapshot, marks, add_state);
    if (report.is_null()) continue;
    report["profile"] = profile.name;
    profiles.push_back(std::move(report));
  }
  return {{"profiles", profiles},
          {"answers", lookups.cache().size()},
          {"bytes", lookups.cache().bytes()},
          {"under_way", lookups.under_way()}};
}

}  // namespace px::broker
