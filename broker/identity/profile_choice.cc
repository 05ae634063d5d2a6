// SPDX-License-Identifier: MIT
#include "broker/identity/profile_choice.h"

namespace px::broker {
namespace {

bool has(const Policy& policy, const std::string& profile) {
  return policy.profile(profile) != nullptr;
}

// Where it came from is not said with the hello: a session may be lost with a former broker.
Origin origin_of_going_on(const Policy& policy, const Applicant& applicant) {
  const bool unasked = !applicant.elder || applicant.elder->origin == Origin::kMatched;
  const Profile* match = unasked ? best_match(policy, applicant.program) : nullptr;
  if (match != nullptr && match->name == applicant.named) return Origin::kMatched;
  return applicant.elder ? Origin::kInherited : Origin::kEnvironment;
}

std::optional<Standing> goes_on(const Policy& policy, const Applicant& applicant) {
  const auto& [program, named, going_on, own, elder] = applicant;
  if (own && (own->profile.empty() || has(policy, own->profile))) return own;
  if (elder && elder->origin == Origin::kMoved && has(policy, elder->profile)) {
    return Standing{elder->profile, Origin::kInherited, elder->named};
  }
  if (!has(policy, named)) return std::nullopt;
  const Origin origin = origin_of_going_on(policy, applicant);
  if (elder) return Standing{named, origin, elder->named};
  return Standing{named, origin, origin == Origin::kEnvironment ? named : ""};
}

// Whether the program that became this one by exec was given its profile for good.
bool was_chosen(const Applicant& applicant) {
  const auto& own = applicant.own;
  return own && (own->origin == Origin::kLaunched || own->origin == Origin::kMoved) &&
         own->named == applicant.named;
}

// What comes with the environment or the parents.
std::optional<Standing> inherited(const Policy& policy, const Applicant& applicant) {
  const std::string& named = applicant.named;
  const auto& from = applicant.own ? applicant.own : applicant.elder;
  if (!named.empty() && (!from || named != from->named)) {
    if (!has(policy, named)) return std::nullopt;
    return Standing{named, Origin::kEnvironment, named};
  }
  if (!from || !has(policy, from->profile)) return std::nullopt;
  if (!policy.profile(from->profile)->inherit && from->origin != Origin::kMoved) {
    return std::nullopt;
  }
  return Standing{from->profile, Origin::kInherited, named};
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

std::optional<Standing> choose_profile(const Policy& policy, const Applicant& applicant) {
  const std::string& named = applicant.named;
  if (applicant.goes_on) {
    if (auto same = goes_on(policy, applicant)) return same;
  } else if (was_chosen(applicant) && has(policy, applicant.own->profile)) {
    return applicant.own;
  }
  if (const Profile* match = best_match(policy, applicant.program)) {
    return Standing{match->name, Origin::kMatched, named};
  }
  if (auto standing = inherited(policy, applicant)) return standing;
  if (!named.empty() && !has(policy, named)) return std::nullopt;
  if (policy.default_profile) return Standing{*policy.default_profile, Origin::kDefault, named};
  return Standing{"", Origin::kDefault, named};
}

}  // namespace px::broker
