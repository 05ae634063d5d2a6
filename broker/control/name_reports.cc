// SPDX-License-Identifier: MIT
#include "broker/control/name_reports.h"

#include <nlohmann/json.hpp>

#include "broker/control/reports.h"
#include "broker/publish/name_servers.h"

namespace px::broker {
namespace {

using nlohmann::json;

json settings_of(const Names& names) {
  return {{"search", names.search},
          {"ndots", names.ndots},
          {"timeout_s", names.timeout_s},
          {"attempts", names.attempts}};
}

json server_report(const NameServerEgress& server) {
  const bool usable = server.entry.has_value();
  return {{"server", text_of(server.server)},
          {"interface", usable ? json(server.entry->interface) : json()},
          {"source", usable ? json(text_of(server.entry->source)) : json()},
          {"usable", usable},
          {"why", usable ? json() : json(server.why)}};
}

}  // namespace

json names_report(const Names& names) {
  if (names.servers.empty()) return nullptr;
  json report = settings_of(names);
  report["via"] = names.via;
  report["servers"] = json::array();
  for (const NameServer& server : names.servers) report["servers"].push_back(text_of(server));
  return report;
}

json name_servers_report(const Profile& profile, const Policy& policy, const Snapshot& snapshot,
                         const Marks& marks) {
  if (profile.names.servers.empty()) return nullptr;
  json report = settings_of(profile.names);
  report["servers"] = json::array();
  for (const NameServerEgress& server : name_servers_of(profile, policy, snapshot, marks)) {
    report["servers"].push_back(server_report(server));
  }
  return report;
}

}  // namespace px::broker
