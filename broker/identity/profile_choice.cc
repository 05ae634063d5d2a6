// SPDX-License-Identifier: MIT
#include "broker/identity/profile_choice.h"

namespace px::broker {
namespace {

bool has(const Policy& policy, const std::string& profile) {
  return policy.profile(profile) != nullptr;
}

// A hello does not say where its profile came from, and the session may be lost with a former
// broker.
Origin origin_of_going_on(const Policy& policy, const ProfileClaim& claim) {
  const bool unasked = !claim.ancestor || claim.ancestor->origin == Origin::kMatched;
  const Profile* match = unasked ? best_match(policy, claim.program) : nullptr;
  if (match != nullptr && match->name == claim.named) return Origin::kMatched;
  return claim.ancestor ? Origin::kInherited : Origin::kEnvironment;
}

std::optional<ProfileAssignment> goes_on(const Policy& policy, const ProfileClaim& claim) {
  const auto& [program, named, going_on, own, ancestor] = claim;
  if (own && (own->profile.empty() || has(policy, own->profile))) return own;
  if (ancestor && ancestor->origin == Origin::kMoved && has(policy, ancestor->profile)) {
    return ProfileAssignment{ancestor->profile, Origin::kInherited, ancestor->named};
  }
  if (!has(policy, named)) return std::nullopt;
  const Origin origin = origin_of_going_on(policy, claim);
  if (ancestor) return ProfileAssignment{named, origin, ancestor->named};
  return ProfileAssignment{named, origin, origin == Origin::kEnvironment ? named : ""};
}

// Whether the program that became this one by exec was given its profile for good.
bool was_chosen(const ProfileClaim& claim) {
  const auto& own = claim.own;
  return own && (own->origin == Origin::kLaunched || own->origin == Origin::kMoved) &&
         own->named == claim.named;
}

// What comes with the environment or the parents.
std::optional<ProfileAssignment> inherited(const Policy& policy, const ProfileClaim& claim) {
  const std::string& named = claim.named;
  const auto& from = claim.own ? claim.own : claim.ancestor;
  if (!named.empty() && (!from || named != from->named)) {
    if (!has(policy, named)) return std::nullopt;
    return ProfileAssignment{named, Origin::kEnvironment, named};
  }
  if (!from || !has(policy, from->profile)) return std::nullopt;
  if (!policy.profile(from->profile)->inherit && from->origin != Origin::kMoved) {
    return std::nullopt;
  }
  return ProfileAssignment{from->profile, Origin::kInherited, named};
}

}  // namespace

const char* name_of(Origin origin) {
  switch (origin) {
    case Origin::kLaunched:
      return "launched";
    case Origin::kMatched:
      return "matched";
    case Origin::kInherited:
      return "inherited";
    case Origin::kDefault:
      return "default";
    case Origin::kMoved:
      return "moved";
    case Origin::kEnvironment:
      break;
  }
  return "environment";
}

std::optional<ProfileAssignment> choose_profile(const Policy& policy, const ProfileClaim& claim) {
  const std::string& named = claim.named;
  if (claim.goes_on) {
    if (auto same = goes_on(policy, claim)) return same;
  } else if (was_chosen(claim) && has(policy, claim.own->profile)) {
    return claim.own;
  }
  if (const Profile* match = best_match(policy, claim.program)) {
    return ProfileAssignment{match->name, Origin::kMatched, named};
  }
  if (auto assignment = inherited(policy, claim)) return assignment;
  if (!named.empty() && !has(policy, named)) return std::nullopt;
  if (policy.default_profile)
    return ProfileAssignment{*policy.default_profile, Origin::kDefault, named};
  return ProfileAssignment{"", Origin::kDefault, named};
}

std::string no_such_profile(const Policy& policy, const std::string& profile) {
  std::string names;
  for (const Profile& each : policy.profiles) names += (names.empty() ? "" : ", ") + each.name;
  return "no profile named '" + profile + "'; there are: " + (names.empty() ? "none" : names);
}

}  // namespace px::broker
