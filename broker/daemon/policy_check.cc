// SPDX-License-Identifier: MIT
#include "broker/daemon/policy_check.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "broker/config/policy.h"
#include "broker/host/entries.h"
#include "broker/host/own_routing.h"
#include "broker/host/router_list.h"
#include "broker/publish/plan_builder.h"
#include "broker/publish/policy_warnings.h"
#include "netlink/kernel_state_dump.h"

namespace px::broker {
namespace {

const std::filesystem::path kServiceState = "/var/lib/px";

nlohmann::json json_of(const Diagnostic& diagnostic) {
  return {{"file", diagnostic.position.file},
          {"line", diagnostic.position.line},
          {"column", diagnostic.position.column},
          {"message", diagnostic.message}};
}

nlohmann::json json_of(const std::vector<Diagnostic>& diagnostics) {
  nlohmann::json list = nlohmann::json::array();
  for (const Diagnostic& diagnostic : diagnostics) list.push_back(json_of(diagnostic));
  return list;
}

// Of the broker that this one would be, and of the system's.
std::vector<AddedRouter> added_routers(const Options& options) {
  std::vector<AddedRouter> routers;
  for (const std::filesystem::path& directory : {options.state_directory, kServiceState}) {
    const auto list = RouterList::open(directory / kRoutersName);
    if (list) routers.insert(routers.end(), list->all().begin(), list->all().end());
  }
  return routers;
}

// A host that cannot be read says nothing against the policy.
std::vector<Diagnostic> warnings_on_this_host(const Policy& policy, const Options& options) {
  auto kernel = netlink::read_kernel_state();
  if (!kernel) return policy.warnings;
  return warnings_of(policy,
                     snapshot_of(without_own_routing(std::move(*kernel)), added_routers(options)));
}

}  // namespace

int check_policy(const Options& options) {
  const std::filesystem::path& file = options.config;
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
  const auto warnings =
      policy ? warnings_on_this_host(*policy, options) : std::vector<Diagnostic>();
  if (options.json) {
    const nlohmann::json answer = {
        {"ok", policy.has_value()},
        {"errors", json_of(policy ? std::vector<Diagnostic>() : policy.error())},
        {"warnings", json_of(warnings)}};
    fmt::print("{}\n", answer.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else if (policy) {
    for (const std::string& warning : warning_texts(warnings)) fmt::print("{}\n", warning);
    const std::size_t bundles = policy->bundles.size();
    fmt::print("{}: good: {} paths, {} profiles{}\n", file.string(), policy->paths.size(),
               policy->profiles.size(), bundles == 0 ? "" : fmt::format(", {} bundles", bundles));
  } else {
    for (const Diagnostic& diagnostic : policy.error()) fmt::print("{}\n", to_string(diagnostic));
  }
  return policy ? 0 : 1;
}

}  // namespace px::broker
