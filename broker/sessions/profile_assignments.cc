// SPDX-License-Identifier: MIT
#include "broker/sessions/profile_assignments.h"

#include "broker/identity/processes.h"
#include "broker/identity/profile_choice.h"
#include "broker/publish/publisher.h"
#include "broker/sessions/session_table.h"

namespace px::broker {

// The assignment of the nearest ancestor that has one: as a session or, though it has not said
// hello, by a match. The profile that PX_PROFILE named is known of sessions alone.
std::optional<ProfileAssignment> ProfileAssignments::of_ancestor(pid_t pid) const {
  std::optional<ProfileAssignment> found;
  for (const pid_t ancestor : ancestors_of(pid)) {
    if (const Session* session = sessions_.find(ancestor)) {
      if (!found) return session->assignment;
      found->named = session->assignment.named;
      break;
    }
    if (found || !policy_.matching()) continue;
    const auto program = program_of(ancestor);
    const Profile* match = program ? best_match(policy_, *program) : nullptr;
    if (match != nullptr) found = ProfileAssignment{match->name, Origin::kMatched, ""};
  }
  return found;
}

std::optional<ProfileAssignment> ProfileAssignments::choose(pid_t pid, const Program& program,
                                                            const plan::Hello& hello) const {
  ProfileClaim claim;
  claim.program = program;
  claim.named = hello.profile;
  claim.goes_on = (hello.flags & plan::kHelloGoesOn) != 0;
  if (const Session* session = sessions_.find(pid)) claim.own = session->assignment;
  claim.ancestor = of_ancestor(pid);
  return choose_profile(policy_, claim);
}

Expected<std::string> ProfileAssignments::move(pid_t pid, const std::string& profile,
                                               std::optional<uid_t> owner) {
  const Session* session = sessions_.find(pid);
  // A program of somebody else is not told apart from none. It may have become somebody else's.
  const bool others =
      session != nullptr && owner && (session->uid != *owner || user_of(pid, *owner) != *owner);
  if (session == nullptr || others) {
    return fail("no program of yours with the process id " + std::to_string(pid) +
                " runs under px (`pxctl ps` lists them)");
  }
  if (session->state == SessionState::kUncovered) {
    return fail("px does not act in process " + std::to_string(pid) + ": " +
                session->why_uncovered);
  }
  if (publisher_.find(profile) == nullptr) return fail(no_such_profile(policy_, profile));
  const ProfileAssignment before = session->assignment;
  change(*session, {profile, Origin::kMoved, before.named});
  return before.profile;
}

// The process may be without a page: it has not said hello, or not since its last exec.
void ProfileAssignments::change(const Session& session, const ProfileAssignment& assignment) {
  const std::string before = session.assignment.profile;
  sessions_.change(session.pid, assignment);
  publisher_.recheck(before);
}

void ProfileAssignments::choose_again() {
  for (const Session* session : sessions_.all()) {
    const ProfileAssignment before = session->assignment;
    if (before.origin != Origin::kMatched && before.origin != Origin::kDefault) continue;
    ProfileClaim claim;
    claim.program = session->program;
    claim.named = before.named;
    claim.ancestor = of_ancestor(session->pid);
    const auto now = choose_profile(policy_, claim);
    if (!now || now->profile == before.profile) continue;
    change(*session, *now);
  }
}

}  // namespace px::broker
