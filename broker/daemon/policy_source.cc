// SPDX-License-Identifier: MIT
#include "broker/daemon/policy_source.h"

#include <algorithm>
#include <charconv>

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
tl::expected<PathSelector, std::string> path_of_entry(std::uint32_t number,
                                                      const Snapshot& snapshot) {
  const auto entry = std::find_if(snapshot.entries.begin(), snapshot.entries.end(),
                                  [&](const Entry& each) { return each.number == number; });
  if (entry == snapshot.entries.end()) {
    return tl::make_unexpected("there is no entry " + std::to_string(number) + "; the host has " +
                               std::to_string(snapshot.entries.size()) +
                               " (`pxctl paths` lists them)");
  }
  PathSelector path;
  path.interface = entry->interface;
  path.source = entry->source;
  path.gateway = entry->next_hop;
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

// What stands for a path of the policy, where there is none of that name.
tl::expected<PathSelector, std::string> look_up_via(const std::string& via, const Policy& known,
                                                    const Snapshot& snapshot) {
  if (const auto number = number_in(via)) return path_of_entry(*number, snapshot);
  const bool interface = std::any_of(snapshot.entries.begin(), snapshot.entries.end(),
                                     [&](const Entry& entry) { return entry.interface == via; });
  if (!interface) {
    return tl::make_unexpected(in_quotes(via) +
                               " is no path of the policy, no entry number, and no interface with "
                               "an entry; there are: " +
                               names_of_paths(known, snapshot));
  }
  PathSelector path;
  path.interface = via;
  return path;
}

PolicyResult with_via_profile(Policy policy, const std::string& via, const Snapshot& snapshot) {
  std::string name = via;
  if (policy.path(via) == nullptr) {
    auto path = look_up_via(via, policy, snapshot);
    if (!path) {
      return tl::make_unexpected(std::vector<Diagnostic>{{{"--via", 0, 0}, path.error()}});
    }
    name = number_in(via) ? "entry-" + via : via;
    path->name = name;
    path->position.file = path->gateway_position.file = "--via " + via;
    policy.paths.push_back(std::move(*path));
  }
  Rule rule;
  rule.to = {Network{}};
  rule.to_text = "any";
  rule.via = {name};
  rule.position.file = "--via " + via;
  Profile profile;
  profile.name = kViaProfile;
  profile.rules = {rule};
  profile.position = rule.position;
  policy.profiles = {profile};
  policy.default_profile.reset();
  return policy;
}

}  // namespace

PolicyResult read_policy(const Options& options, const Snapshot& snapshot) {
  Policy policy;
  if (!options.config.empty()) {
    auto loaded = load_policy(options.config);
    if (!loaded) return loaded;
    policy = std::move(*loaded);
  }
  if (!options.via.empty()) return with_via_profile(std::move(policy), options.via, snapshot);
  if (!options.rules.empty()) {
    return load_rules(options.rules, kRulesProfile, policy,
                      [&](const std::string& via, const Policy& known) {
                        return look_up_via(via, known, snapshot);
                      });
  }
  return policy;
}

std::vector<std::string> texts_of(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> texts;
  texts.reserve(diagnostics.size());
  for (const Diagnostic& diagnostic : diagnostics) texts.push_back(to_string(diagnostic));
  return texts;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

}  // namespace px::broker
