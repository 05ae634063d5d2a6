// SPDX-License-Identifier: MIT
#include "broker/publish/routing_needs.h"

#include <algorithm>
#include <map>
#include <set>

#include "broker/publish/path_resolution.h"

namespace px::broker {
namespace {

using plan::ListenMode;

// The paths that some rule, server or lookup goes by, in the policy's order.
std::vector<const PathSelector*> used_paths(const Policy& policy) {
  std::set<std::string> names;
  for (const Profile& profile : policy.profiles) {
    names.insert(profile.listen.via.begin(), profile.listen.via.end());
    for (const NameGroup& group : profile.names.groups) {
      names.insert(group.via.begin(), group.via.end());
    }
    for (const Rule& rule : profile.rules) names.insert(rule.via.begin(), rule.via.end());
  }
  std::vector<const PathSelector*> paths;
  for (const PathSelector& path : policy.paths) {
    if (names.contains(path.name)) paths.push_back(&path);
  }
  return paths;
}

// Neither a pattern nor nothing.
bool is_name(const std::string& interface) {
  return !interface.empty() && interface.find_first_of("*?[\\") == std::string::npos;
}

std::optional<TableRoute>& route_of(RoutingTable& table, const Entry& entry) {
  return entry.source.is_ipv4() ? table.ipv4 : table.ipv6;
}

class Demand {
 public:
  explicit Demand(const Snapshot& snapshot) : snapshot_(snapshot) {}

  // A router that is gone, with its link or its route, keeps its table: sockets that have the mark
  // already must not find the rule gone and fall through to the host's own routes.
  void add_next_hops(const PathSelector& path) {
    const auto indices = resolve_path(path, snapshot_);
    if (path.gateway && indices.empty() && is_name(path.interface)) {
      table_of(mark_key(path, path.interface));
    }
    for (const std::size_t index : indices) {
      const Entry& entry = snapshot_.entries[index];
      const std::string key = mark_key(path, entry);
      if (key.empty()) continue;
      RoutingTable& table = table_of(key);
      if (entry.link_up) route_of(table, entry) = {entry.interface_index, entry.next_hop, false};
    }
  }

  void add_received_source(const Profile& profile, const Policy& policy) {
    RoutingTable& table = table_of(listen_key(profile));
    for (const std::string& name : profile.listen.via) {
      const PathSelector* path = policy.path(name);
      if (path == nullptr) continue;
      for (const std::size_t index : resolve_path(*path, snapshot_)) {
        const Entry& entry = snapshot_.entries[index];
        auto& route = route_of(table, entry);
        if (entry.usable() && !route) {
          route = {entry.interface_index, entry.next_hop, true};
        }
      }
    }
  }

  void add_received_interfaces() {
    for (const Entry& entry : snapshot_.entries) {
      const std::string key = "received " + entry.interface;
      RoutingTable& table = table_of(key);
      received_.emplace(entry.interface_index, key);
      if (!entry.link_up || !entry.default_next_hop) continue;
      route_of(table, entry) = {entry.interface_index, entry.next_hop, true};
    }
  }

  RoutingDemand finish() {
    RoutingDemand demand;
    for (auto& [key, table] : tables_) demand.tables.push_back(std::move(table));
    demand.received = std::move(received_);
    return demand;
  }

 private:
  RoutingTable& table_of(const std::string& key) {
    const auto [table, fresh] = tables_.try_emplace(key);
    if (fresh) table->second.key = key;
    return table->second;
  }

  const Snapshot& snapshot_;
  std::map<std::string, RoutingTable> tables_;
  std::map<std::uint32_t, std::string> received_;
};

}  // namespace

RoutingDemand demand_of(const Policy& policy, const Snapshot& snapshot) {
  Demand demand(snapshot);
  for (const PathSelector* path : used_paths(policy)) demand.add_next_hops(*path);
  for (const Profile& profile : policy.profiles) {
    if (profile.listen.mode == ListenMode::kReceivedSource) {
      demand.add_received_source(profile, policy);
    } else if (profile.listen.mode == ListenMode::kReceivedInterface) {
      demand.add_received_interfaces();
    }
  }
  return demand.finish();
}

std::string listen_key(const Profile& profile) {
  switch (profile.listen.mode) {
    case ListenMode::kReceivedInterface:
      return kReceivedKey;
    case ListenMode::kReceivedSource:
      return "listen " + profile.name;
    case ListenMode::kSystem:
      break;
  }
  return {};
}

std::vector<Diagnostic> without_marks(const Policy& policy, const Snapshot& snapshot,
                                      const std::string& why) {
  std::vector<Diagnostic> needs;
  for (const PathSelector* path : used_paths(policy)) {
    const auto indices = resolve_path(*path, snapshot);
    // A gateway that the host does not have now may be an interface's own when it comes.
    const bool all = std::all_of(indices.begin(), indices.end(), [&](std::size_t index) {
      return path->gateway && snapshot.entries[index].needs_mark;
    });
    if (indices.empty() || !all) continue;
    needs.push_back({path->gateway_position,
                     "a next hop of its own cannot be had: " + why + "; or leave 'gateway' out"});
  }
  for (const Profile& profile : policy.profiles) {
    if (profile.listen.mode == ListenMode::kSystem) continue;
    needs.push_back({profile.listen.position,
                     "a server's egress cannot be chosen: " + why + "; or leave 'listen' out"});
  }
  return needs;
}

}  // namespace px::broker
