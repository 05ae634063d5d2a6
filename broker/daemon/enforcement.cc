// SPDX-License-Identifier: MIT
#include "broker/daemon/enforcement.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "broker/daemon/policy_source.h"
#include "broker/host/router_list.h"
#include "broker/host/watcher.h"
#include "broker/link_names/link_names_keeper.h"
#include "broker/mptcp/subflows.h"
#include "broker/names/lookups.h"
#include "broker/publish/policy_warnings.h"
#include "broker/publish/publisher.h"
#include "broker/publish/routing_needs.h"
#include "broker/routing/routing.h"
#include "broker/services/metrics_listener.h"
#include "broker/services/sctp_port_routes.h"
#include "broker/sessions/profile_assignments.h"
#include "broker/sessions/server.h"
#include "broker/sessions/session_table.h"

namespace px::broker {
namespace {

constexpr std::chrono::seconds kRetryInterval{1};
constexpr std::chrono::seconds kUnusedInterval{1};

}  // namespace

Expected<void> Enforcement::begin() {
  policy_ = parts_.in_force.policy;
  PX_TRY(put_in_force(parts_.in_force.policy, parts_.in_force.snapshot));
  finish();
  return {};
}

Expected<void> Enforcement::put_in_force(const Policy& policy, const Snapshot& snapshot) {
  const RoutingDemand demand = parts_.port_routes.demand(policy, snapshot);
  const auto marks = parts_.routing.prepare(demand, policy.mark_mask);
  if (marks) return publish(policy, snapshot, *marks);
  const auto without = texts_of(without_marks(policy, snapshot, marks.error().message));
  if (!without.empty()) return fail(joined(without));
  // Only for routers that the host does not have now.
  return publish(policy, snapshot, parts_.routing.marks());
}

Expected<void> Enforcement::publish(const Policy& policy, const Snapshot& snapshot,
                                    const Marks& marks) {
  if (auto published = parts_.publisher.publish(policy, snapshot, marks); !published) {
    parts_.routing.abandon();
    return published;
  }
  if (const auto retired = parts_.routing.retire(); !retired) {
    spdlog::error("routing rules that are not wanted any more are left: {}",
                  retired.error().message);
  }
  require_subflows(policy);
  parts_.subflows.plans_changed();
  if (parts_.lookups.follow(policy, snapshot, marks)) parts_.publisher.forget_health();
  const auto watches = [](const Profile& profile) { return profile.names.watch_host(); };
  if (std::ranges::any_of(policy.profiles, watches)) parts_.link_names.begin();
  return {};
}

// A connection without subflows is a connection all the same.
void Enforcement::require_subflows(const Policy& policy) {
  const bool could = parts_.subflows.state().has_value();
  const auto state = parts_.subflows.require(policy.wants_subflows());
  if (!state && could) {
    spdlog::warn("MPTCP connections have one path each: {}", state.error().message);
  }
}

void Enforcement::mend() {
  if (const auto mended = parts_.routing.mend(); !mended) {
    spdlog::error("next hops that were taken away are not back: {}", mended.error().message);
  }
}

void Enforcement::host_changed(const Snapshot& snapshot) {
  const Policy& policy = parts_.in_force.policy;
  const RoutingDemand demand = parts_.port_routes.demand(policy, snapshot);
  auto marks = parts_.routing.prepare(demand, policy.mark_mask);
  const bool prepared = marks.has_value();
  if (!prepared) {
    if (!without_marks(policy, snapshot, {}).empty()) {
      spdlog::error("next hops cannot be had now: {}", marks.error().message);
    }
    marks = parts_.routing.marks();  // next hops without a mark are not available
  }
  if (auto published = publish(policy, snapshot, *marks); !published) {
    spdlog::error("the changed paths are not in force yet: {}", published.error().message);
    retry();
    return;
  }
  // On another network others may answer.
  if (!(snapshot.entries == parts_.in_force.snapshot.entries)) {
    parts_.publisher.forget_health();
    parts_.link_names.look();
  }
  parts_.in_force.snapshot = snapshot;
  parts_.server.broadcast(json_text(paths_event(snapshot)), std::nullopt);
  // Without the privilege it would be in vain.
  if (!prepared && parts_.routing.available()) retry();
}

void Enforcement::link_names_changed(LinkNamesByInterface names) {
  parts_.watcher.set_link_names(std::move(names));
  if (const auto looked = look_at_host(); !looked) {
    spdlog::error("{}", looked.error().message);
    retry();
  }
}

void Enforcement::retry() {
  retry_.after(kRetryInterval, [this] {
    const auto snapshot = parts_.watcher.refresh();
    if (snapshot) return host_changed(*snapshot);
    spdlog::error("{}", snapshot.error().message);
    retry();
  });
}

Expected<void> Enforcement::look_at_host() {
  PX_ASSIGN_OR_RETURN(const Snapshot snapshot, parts_.watcher.refresh());
  if (!(snapshot == parts_.in_force.snapshot)) host_changed(snapshot);
  return {};
}

Expected<void> Enforcement::use_added_routers() {
  parts_.watcher.set_added_routers(parts_.routers.all());
  return look_at_host();
}

// What is wrong with the policy, or with putting it in force.
std::vector<std::string> Enforcement::reload_policy() {
  const auto looked = look_at_host();
  auto policy = read_policy(parts_.options, parts_.in_force.snapshot);
  if (!policy) return texts_of(policy.error());
  if (!looked) return {looked.error().message};
  Policy whole = with_ad_hoc_profiles(*policy);
  if (const auto done = put_in_force(whole, parts_.in_force.snapshot); !done) {
    return {done.error().message};
  }
  policy_ = std::move(*policy);
  parts_.in_force.policy = std::move(whole);
  ++parts_.state.policy_generation;
  parts_.publisher.forget_health();
  parts_.assignments.choose_again();
  return {};
}

void Enforcement::finish() {
  auto& warnings = parts_.state.last_reload.warnings;
  warnings = warning_texts(warnings_of(policy_, parts_.in_force.snapshot));
  // There may be many private brokers of one policy.
  const auto metrics = parts_.options.private_broker ? std::nullopt : policy_.metrics;
  if (const auto served = parts_.metrics.serve(metrics); !served) {
    warnings.push_back(served.error().message);
  }
  for (const std::string& warning : warnings) spdlog::warn("{}", warning);
}

Policy Enforcement::with_ad_hoc_profiles(const Policy& policy) {
  Policy whole = policy;
  ad_hoc_.add_to(whole);
  return whole;
}

Expected<ProfileHold> Enforcement::hold_way(const std::string& way, const std::string& wanted) {
  InForce& in_force = parts_.in_force;
  PX_ASSIGN_OR_RETURN(ProfileHold held,
                      ad_hoc_.hold(way, wanted, in_force.policy, in_force.snapshot));
  look_for_unused_ways();
  if (in_force.policy.profile(*held) != nullptr) return held;
  Policy whole = with_ad_hoc_profiles(policy_);
  PX_TRY(put_in_force(whole, in_force.snapshot));
  in_force.policy = std::move(whole);
  return held;
}

void Enforcement::forget_unused_ways() {
  const auto names = ad_hoc_.forget_unused(
      [this](const std::string& profile) { return parts_.sessions.running_under(profile) != 0; });
  if (!names.empty()) {
    Policy whole = with_ad_hoc_profiles(policy_);
    if (const auto done = put_in_force(whole, parts_.in_force.snapshot); !done) {
      spdlog::error("profiles that are not used any more stay: {}", done.error().message);
    } else {
      parts_.in_force.policy = std::move(whole);
      for (const std::string& name : names) {
        parts_.publisher.forget(name);
        parts_.sessions.forget_totals(name);
      }
    }
  }
}

void Enforcement::look_for_unused_ways() {
  if (looks_for_unused_ || ad_hoc_.empty()) return;
  looks_for_unused_ = true;
  unused_.after(kUnusedInterval, [this] {
    looks_for_unused_ = false;
    forget_unused_ways();
    look_for_unused_ways();
  });
}

void Enforcement::reload() {
  const auto time = std::chrono::system_clock::now();
  const auto errors = reload_policy();
  parts_.state.last_reload = {time, errors, {}};
  if (errors.empty()) finish();
  parts_.server.broadcast(json_text(reload_event(parts_.state)), std::nullopt);
  if (errors.empty()) {
    spdlog::info("reloaded: generation {}", parts_.state.policy_generation);
  } else {
    spdlog::error("reload refused, the policy stays as it was:\n{}", joined(errors));
  }
}

}  // namespace px::broker
