// SPDX-License-Identifier: MIT
#include "broker/daemon/policy_source.h"

#include <algorithm>
#include <charconv>

#include "util/error.h"

namespace px::broker {
namespace {

using Error = std::vector<Diagnostic>;

tl::unexpected<Error> complain(const std::string& message) {
  return tl::make_unexpected(Error{{{"--via", 0, 0}, message}});
}

std::optional<std::uint32_t> number_in(const std::string& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Entry numbers shift as links come and go. So the number stands for the interface, source and next
// hop that the entry has now.
tl::expected<PathSelector, Error> path_of_entry(std::uint32_t number, const Snapshot& snapshot) {
  const auto entry = std::find_if(snapshot.entries.begin(), snapshot.entries.end(),
                                  [&](const Entry& each) { return each.number == number; });
  if (entry == snapshot.entries.end()) {
    return complain("there is no entry " + std::to_string(number) + "; the host has " +
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

tl::expected<std::string, Error> path_for(const std::string& via, Policy& policy,
                                          const Snapshot& snapshot) {
  if (policy.path(via) != nullptr) return via;
  if (const auto number = number_in(via)) {
    PX_ASSIGN_OR_RETURN(const PathSelector path, path_of_entry(*number, snapshot));
    policy.paths.push_back(path);
    return path.name;
  }
  const bool interface = std::any_of(snapshot.entries.begin(), snapshot.entries.end(),
                                     [&](const Entry& entry) { return entry.interface == via; });
  if (!interface) {
    return complain("'" + via + "' is no path of the policy, no entry number, and no interface " +
                    "with an entry; there are: " + names_of_paths(policy, snapshot));
  }
  PathSelector path;
  path.name = path.interface = via;
  policy.paths.push_back(std::move(path));
  return via;
}

PolicyResult with_via_profile(Policy policy, const std::string& via, const Snapshot& snapshot) {
  PX_ASSIGN_OR_RETURN(const std::string path, path_for(via, policy, snapshot));
  Rule rule;
  rule.to = {Network{}};
  rule.to_text = "any";
  rule.via = {path};
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
  if (!options.rules.empty()) return load_rules(options.rules, kRulesProfile, policy);
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
