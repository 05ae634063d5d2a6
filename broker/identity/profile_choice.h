// SPDX-License-Identifier: MIT
// Which profile a program gets when it says hello (PX-1): one pure function of the policy and of
// what is known of the program and of its ancestors.
#pragma once

#include <optional>
#include <string>

#include "broker/config/policy.h"
#include "broker/identity/profile_assignment.h"

namespace px::broker {

// What is known of a program that says hello.
struct ProfileClaim {
  Program program;
  std::string named{};   // the profile that hello names; empty: whichever matches
  bool goes_on = false;  // plan::kHelloGoesOn
  // This process's so far: from before an exec, or from a former hello.
  std::optional<ProfileAssignment> own{};
  // The nearest ancestor's that has one.
  std::optional<ProfileAssignment> ancestor{};
};

// The profile, or none (an empty one). Nothing where the hello names a profile that the policy does
// not have, and no match gives the program another.
[[nodiscard]] std::optional<ProfileAssignment> choose_profile(const Policy& policy,
                                                              const ProfileClaim& claim);

// Why a program that names this profile is refused, for people: with the names that there are.
[[nodiscard]] std::string no_such_profile(const Policy& policy, const std::string& profile);

}  // namespace px::broker
