// SPDX-License-Identifier: MIT
#include "broker/daemon/policy_check.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "broker/config/policy.h"
#include "broker/publish/plan_builder.h"

namespace px::broker {
namespace {

nlohmann::json json_of(const Diagnostic& diagnostic) {
  return {{"file", diagnostic.position.file},
          {"line", diagnostic.position.line},
          {"column", diagnostic.position.column},
          {"message", diagnostic.message}};
}

}  // namespace

int check_policy(const std::filesystem::path& file, bool json) {
  auto policy = load_policy(file);
  if (policy) {
    // What the rules take; the host's entries come on top when it is published.
    for (const Profile& profile : policy->profiles) {
      if (const auto plan = build_plan(profile, *policy, {}); !plan) {
        policy =
            tl::make_unexpected(std::vector<Diagnostic>{{profile.position, plan.error().message}});
        break;
      }
    }
  }
  if (json) {
    nlohmann::json errors = nlohmann::json::array();
    if (!policy) {
      for (const Diagnostic& diagnostic : policy.error()) errors.push_back(json_of(diagnostic));
    }
    const nlohmann::json answer = {{"ok", policy.has_value()}, {"errors", errors}};
    fmt::print("{}\n", answer.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else if (policy) {
    const std::size_t bundles = policy->bundles.size();
    fmt::print("{}: good: {} paths, {} profiles{}\n", file.string(), policy->paths.size(),
               policy->profiles.size(), bundles == 0 ? "" : fmt::format(", {} bundles", bundles));
  } else {
    for (const Diagnostic& diagnostic : policy.error()) fmt::print("{}\n", to_string(diagnostic));
  }
  return policy ? 0 : 1;
}

}  // namespace px::broker
