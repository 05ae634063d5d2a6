// SPDX-License-Identifier: MIT
#include "broker/daemon/ad_hoc_profiles.h"

#include <utility>

#include "broker/daemon/way.h"
#include "plan/wire.h"

namespace px::broker {
namespace {

constexpr char kUnnamed[] = "via.way";

bool same_egresses(const PathSelector& a, const PathSelector& b) {
  return a.interface == b.interface && a.source == b.source && a.gateway == b.gateway;
}

// The first of NAME, NAME-2, NAME-3... that is free.
std::string free_name(const std::string& name,
                      const std::function<bool(const std::string&)>& taken) {
  std::string free = name;
  for (int number = 2; taken(free); ++number) free = name + "-" + std::to_string(number);
  return free;
}

// "via.WAY", where that can be a profile's name and a number behind it still is.
std::string profile_name(const std::string& way) {
  const std::string name = "via." + way;
  return plan::valid_profile_name(name + "-12345") ? name : kUnnamed;
}

}  // namespace

Expected<ProfileHold> AdHocProfiles::hold(const std::string& way, const std::string& wanted,
                                          const Policy& policy, const Snapshot& snapshot) {
  PX_ASSIGN_OR_RETURN(PathSelector path, path_of_way(way, policy, snapshot));
  // Programs run under the name. It may only mean what it meant, whoever asks; a number need not.
  const std::string own_name = profile_name(way);
  const bool lasts = own_name != kUnnamed && path.name == way;
  if (!wanted.empty() && (wanted != own_name || !lasts)) {
    return fail("the profile " + wanted + " cannot be had again; start its programs again");
  }
  for (auto& [name, each] : profiles_) {
    if (each.way != way || !same_egresses(each.path, path)) continue;
    if (!wanted.empty() && name != wanted) continue;
    auto held = each.hold.lock();
    if (!held) each.hold = held = std::make_shared<const std::string>(name);
    return held;
  }
  if (profiles_.size() >= kMost) {
    return fail("there are " + std::to_string(kMost) +
                " ways by --via in use already; end some programs, or give the way a profile");
  }
  const auto path_taken = [&](const std::string& name) {
    const PathSelector* other = policy.path(name);
    return other != nullptr && !same_egresses(*other, path);
  };
  const auto profile_taken = [&](const std::string& name) {
    return policy.profile(name) != nullptr;
  };
  path.name = free_name(path.name, path_taken);
  if (!wanted.empty() && profile_taken(wanted)) return fail("the policy has a profile " + wanted);
  const std::string name = free_name(own_name, profile_taken);
  auto held = std::make_shared<const std::string>(name);
  profiles_.emplace(name, AdHoc{way, path, profile_through(path, name, way), held});
  return held;
}

void AdHocProfiles::add_to(Policy& policy) {
  for (auto& [name, each] : profiles_) {
    if (const PathSelector* path = policy.path(each.path.name)) {
      each.path = *path;
    } else {
      policy.paths.push_back(each.path);
    }
    if (policy.profile(name) == nullptr) policy.profiles.push_back(each.profile);
  }
}

std::vector<std::string> AdHocProfiles::forget_unused(
    const std::function<bool(const std::string&)>& in_use) {
  std::vector<std::string> names;
  for (const auto& [name, each] : profiles_) {
    if (each.hold.expired() && !in_use(name)) names.push_back(name);
  }
  for (const std::string& name : names) profiles_.erase(name);
  return names;
}

}  // namespace px::broker
