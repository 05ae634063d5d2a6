// SPDX-License-Identifier: MIT
#include "broker/publish/policy_warnings.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <tuple>

#include "broker/config/suggestion.h"
#include "broker/publish/name_servers.h"
#include "broker/publish/path_resolution.h"
#include "broker/publish/routing_needs.h"

namespace px::broker {
namespace {

std::string text_of(const Address& address) {
  std::array<char, bundle::kAddressTextSize> buffer{};
  return std::string(bundle::address_text(address, buffer));
}

bool has_interface(const PathSelector& path, const Entry& entry) {
  return path.interface.empty() || fnmatch(path.interface.c_str(), entry.interface.c_str(), 0) == 0;
}

std::string interfaces_of(const Snapshot& snapshot) {
  std::vector<std::string> names;
  for (const Entry& entry : snapshot.entries) {
    if (std::find(names.begin(), names.end(), entry.interface) == names.end()) {
      names.push_back(entry.interface);
    }
  }
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + printable(name);
  return text.empty() ? "none" : text;
}

// The first key that none of the host's entries has together with those before it.
std::string why_nothing(const PathSelector& path, const Snapshot& snapshot) {
  std::vector<Entry> left;
  std::ranges::copy_if(snapshot.entries, std::back_inserter(left),
                       [&](const Entry& entry) { return has_interface(path, entry); });
  if (left.empty()) {
    return "no interface " + in_quotes(path.interface) +
           " has an entry; those that have: " + interfaces_of(snapshot);
  }
  const std::string where = path.interface.empty() ? "this host" : in_quotes(path.interface);
  std::erase_if(left,
                [&](const Entry& entry) { return path.gateway && entry.next_hop != path.gateway; });
  if (left.empty()) {
    return text_of(*path.gateway) + " is no next hop of " + where + "; `pxctl router add " +
           text_of(*path.gateway) + "` adds one that no route names";
  }
  std::erase_if(left,
                [&](const Entry& entry) { return path.source && entry.source != *path.source; });
  if (left.empty()) return text_of(*path.source) + " is no source of " + where + " for that";
  return "no entry has all of its keys";
}

// A path that selects nothing has a warning of its own.
bool selects_something(const std::vector<std::string>& via, const Policy& policy,
                       const Snapshot& snapshot) {
  return std::ranges::any_of(via, [&](const std::string& name) {
    const PathSelector* path = policy.path(name);
    return path != nullptr && !resolve_path(*path, snapshot).empty();
  });
}

std::string what_it_cannot(const NameGroup& group) {
  if (group.is_rest()) return "can look up no name now: ";
  return "can look up no name of " + in_quotes(broker::text_of(group.names.front())) + " now: ";
}

// Of name servers none of which is within reach now.
std::optional<Diagnostic> name_server_warning(const Profile& profile, const NameGroup& group,
                                              const Policy& policy, const Snapshot& snapshot,
                                              const Marks& marks) {
  if (!selects_something(group.via, policy, snapshot)) return std::nullopt;
  std::string why;
  for (const NameServerEgress& server : name_servers_of(group, policy, snapshot, marks)) {
    if (server.entry) return std::nullopt;
    why += (why.empty() ? "" : "; ") + text_of(server.server) + " " + server.why;
  }
  if (why.empty()) return std::nullopt;
  return Diagnostic{group.position,
                    "profile " + in_quotes(profile.name) + " " + what_it_cannot(group) + why};
}

}  // namespace

std::vector<Diagnostic> warnings_of(const Policy& policy, const Snapshot& snapshot) {
  std::vector<Diagnostic> warnings = policy.warnings;
  for (const PathSelector& path : policy.paths) {
    if (!resolve_path(path, snapshot).empty()) continue;
    warnings.push_back(
        {path.position, "path " + in_quotes(path.name) + " selects nothing on this host now: " +
                            why_nothing(path, snapshot) + " (`pxctl paths` lists all entries)"});
  }
  // Whether the kernel will take them is another question.
  Marks marks;
  for (const RoutingTable& table : demand_of(policy, snapshot).tables) marks[table.key] = 1;
  for (const Profile& profile : policy.profiles) {
    for (const NameGroup& group : profile.names.groups) {
      const auto warning = name_server_warning(profile, group, policy, snapshot, marks);
      if (warning) warnings.push_back(*warning);
    }
  }
  const auto place = [&](const Diagnostic& warning) {
    const Position& position = warning.position;
    return std::tuple(std::ranges::find(policy.files, position.file), position.line,
                      position.column);
  };
  std::ranges::stable_sort(warnings, {}, place);
  return warnings;
}

std::vector<std::string> warning_texts(const std::vector<Diagnostic>& warnings) {
  std::vector<std::string> texts;
  for (Diagnostic warning : warnings) {
    warning.message = "warning: " + warning.message;
    texts.push_back(to_string(warning));
  }
  return texts;
}

}  // namespace px::broker
