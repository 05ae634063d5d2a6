// SPDX-License-Identifier: MIT
#include "broker/control/name_reports.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "broker/control/reports.h"
#include "broker/publish/name_servers.h"

namespace px::broker {
namespace {

using nlohmann::json;

json names_of(const NameGroup& group) {
  if (group.is_rest()) return nullptr;
  json names = json::array();
  for (const dns::NamePattern& pattern : group.names) names.push_back(text_of(pattern));
  return names;
}

json search_of(const Names& names) {
  return {{"search", names.search}, {"ndots", names.ndots}};
}

json group_report(const NameGroup& group) {
  json servers = json::array();
  for (const NameServer& server : group.servers) servers.push_back(text_of(server));
  return {{"names", names_of(group)},   {"via", group.via},
          {"servers", servers},         {"timeout_s", group.timeout_s},
          {"attempts", group.attempts}, {"redirect", group.redirect}};
}

// The same of a group that learns, and has learned nothing.
json no_server_report(const NameGroup& group) {
  return {{"server", nullptr},
          {"interface", nullptr},
          {"source", nullptr},
          {"from", nullptr},
          {"usable", false},
          {"why", "no name server of the paths' links is known now"},
          {"names", names_of(group)},
          {"timeout_s", group.timeout_s},
          {"attempts", group.attempts},
          {"silent", false},
          {"refused", false}};
}

}  // namespace

json server_report(const NameServerEgress& server) {
  const bool usable = server.entry.has_value();
  return {{"server", text_of(server.server)},
          {"interface", usable ? json(server.entry->interface) : json()},
          {"source", usable ? json(text_of(server.entry->source)) : json()},
          {"from", server.from},
          {"usable", usable},
          {"why", usable ? json() : json(server.why)}};
}

json names_report(const Names& names) {
  if (names.groups.empty()) return nullptr;
  json report = search_of(names);
  report["entries"] = json::array();
  for (const NameGroup& group : names.groups) report["entries"].push_back(group_report(group));
  return report;
}

json name_servers_report(const Names& names, const Policy& policy, const Snapshot& snapshot,
                         const Marks& marks, const ServerState& add_state) {
  if (names.groups.empty()) return nullptr;
  json report = search_of(names);
  report["servers"] = json::array();
  for (const NameGroup& group : names.groups) {
    for (const std::string& domain : learned_domains(group, policy, snapshot)) {
      if (std::ranges::find(report["search"], json(domain)) == report["search"].end()) {
        report["search"].push_back(domain);
      }
    }
    const auto servers = name_servers_of(group, policy, snapshot, marks);
    if (servers.empty()) report["servers"].push_back(no_server_report(group));
    for (const NameServerEgress& server : servers) {
      json one = server_report(server);
      one["names"] = names_of(group);
      one["timeout_s"] = group.timeout_s;
      one["attempts"] = group.attempts;
      if (add_state) add_state(server, one);
      report["servers"].push_back(std::move(one));
    }
  }
  return report;
}

}  // namespace px::broker
