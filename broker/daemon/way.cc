// SPDX-License-Identifier: MIT
#include "broker/daemon/way.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

#include "broker/config/suggestion.h"

namespace px::broker {
namespace {

std::optional<std::uint32_t> number_in(const std::string& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Entry numbers shift as links come and go. So the number stands for the interface, source and next
// hop that the entry has now.
Expected<PathSelector> path_of_entry(std::uint32_t number, const Snapshot& snapshot) {
  const auto entry = std::find_if(snapshot.entries.begin(), snapshot.entries.end(),
                                  [&](const Entry& each) { return each.number == number; });
  if (entry == snapshot.entries.end()) {
    return fail("there is no entry " + std::to_string(number) + "; the host has " +
                std::to_string(snapshot.entries.size()) + " (`pxctl paths` lists them)");
  }
  PathSelector path;
  path.name = "entry-" + std::to_string(number);
  path.interface = entry->interface;
  path.source = entry->source;
  path.gateway = entry->next_hop;
  path.position.file = path.gateway_position.file = "--via " + std::to_string(number);
  return path;
}

std::string names_of_paths(const Policy& policy, const Snapshot& snapshot) {
  std::vector<std::string> names;
  for (const PathSelector& path : policy.paths) names.push_back(path.name);
  for (const Entry& entry : snapshot.entries) names.push_back(entry.interface);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

}  // namespace

Expected<PathSelector> path_of_way(const std::string& way, const Policy& policy,
                                   const Snapshot& snapshot) {
  if (const PathSelector* path = policy.path(way)) return *path;
  if (const auto number = number_in(way)) return path_of_entry(*number, snapshot);
  const bool interface = std::any_of(snapshot.entries.begin(), snapshot.entries.end(),
                                     [&](const Entry& entry) { return entry.interface == way; });
  if (!interface) {
    return fail(in_quotes(way) + " is no path of the policy, no entry number, and no interface " +
                "with an entry; there are: " + names_of_paths(policy, snapshot));
  }
  PathSelector path;
  path.name = path.interface = way;
  return path;
}

Profile profile_through(const PathSelector& path, const std::string& profile_name,
                        const std::string& way) {
  Rule rule;
  rule.to = {Network{}};
  rule.to_text = "any";
  rule.via = {path.name};
  rule.position.file = "--via " + way;
  Profile profile;
  profile.name = profile_name;
  profile.rules = {rule};
  profile.position = rule.position;
  return profile;
}

}  // namespace px::broker
