// SPDX-License-Identifier: MIT
// Which profile each program has: at its hello, when it is moved, and when the policy changes
// (PX-1). Reads /proc for what neither a session nor the hello says.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "broker/config/policy.h"
#include "broker/identity/profile_assignment.h"
#include "plan/wire.h"
#include "util/error.h"

namespace px::broker {

class Publisher;
class SessionTable;
struct Session;

class ProfileAssignments {
 public:
  ProfileAssignments(const Policy& policy, SessionTable& sessions, Publisher& publisher)
      : policy_(policy), sessions_(sessions), publisher_(publisher) {}

  // For a program that says hello; nothing where it is to be refused.
  [[nodiscard]] std::optional<ProfileAssignment> choose(pid_t pid, const Program& program,
                                                        const plan::Hello& hello) const;

  // Gives the process another profile, and returns the one it had. `owner`: whose programs may be
  // moved; absent: everyone's. The error is for people.
  [[nodiscard]] Expected<std::string> move(pid_t pid, const std::string& profile,
                                           std::optional<uid_t> owner);

  // Chooses again for each program whose profile was matched or the default: the policy has
  // changed.
  void choose_again();

 private:
  [[nodiscard]] std::optional<ProfileAssignment> of_ancestor(pid_t pid) const;
  void change(const Session& session, const ProfileAssignment& assignment);

  const Policy& policy_;
  SessionTable& sessions_;
  Publisher& publisher_;
};

}  // namespace px::broker
