// SPDX-License-Identifier: MIT
#include "broker/daemon/policy_source.h"

#include "broker/daemon/way.h"

namespace px::broker {
namespace {

PolicyResult with_via_profile(Policy policy, const std::string& way, const Snapshot& snapshot) {
  const auto path = path_of_way(way, policy, snapshot);
  if (!path) {
    return tl::make_unexpected(std::vector<Diagnostic>{{{"--via", 0, 0}, path.error().message}});
  }
  if (policy.path(path->name) == nullptr) policy.paths.push_back(*path);
  policy.profiles = {profile_through(*path, kViaProfile, way)};
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
                        return path_of_way(via, known, snapshot).map_error([](const auto& error) {
                          return error.message;
                        });
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
