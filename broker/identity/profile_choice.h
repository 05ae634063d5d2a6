// SPDX-License-Identifier: MIT
// Which profile a program gets that says hello: one pure function of the policy and of what is
// known of the program and of those that it comes from (PX-1).
#pragma once

#include <optional>
#include <string>

#include "broker/config/policy.h"
#include "broker/identity/profile_assignment.h"

namespace px::broker {

// Who says hello.
struct ProfileClaim {
  Program program;
  std::string named{};   // the profile that hello names; empty: whichever matches
  bool goes_on = false;  // plan::kHelloGoesOn
  std::optional<ProfileAssignment>
      own{};  // this process's so far: before an exec, or a former hello
  std::optional<ProfileAssignment> ancestor{};  // its nearest ancestor's that has one
};

// The profile, or none (an empty one). Nothing where the hello names a profile that the policy does
// not have, and no match speaks for another.
[[nodiscard]] std::optional<ProfileAssignment> choose_profile(const Policy& policy,
                                                              const ProfileClaim& claim);

}  // namespace px::broker
