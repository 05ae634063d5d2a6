// SPDX-License-Identifier: MIT
// Which profile each program has: at its hello, when somebody moves it, and when the policy
// changes.
#include <nlohmann/json.hpp>

#include "broker/daemon/daemon.h"
#include "broker/identity/processes.h"
#include "broker/identity/profile_choice.h"

namespace px::broker {

// The assignment of the nearest ancestor that has one, as a session or, though it has not said
// hello, by a match; what PX_PROFILE was given by whom is known of sessions alone.
std::optional<ProfileAssignment> Daemon::ancestor_assignment_of(pid_t pid) const {
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

std::optional<ProfileAssignment> Daemon::assignment_of(const Peer& peer, const Program& program,
                                                       const plan::Hello& hello) const {
  ProfileClaim claim;
  claim.program = program;
  claim.named = hello.profile;
  claim.goes_on = (hello.flags & plan::kHelloGoesOn) != 0;
  if (const Session* session = sessions_.find(peer.pid)) claim.own = session->assignment;
  claim.ancestor = ancestor_assignment_of(peer.pid);
  return choose_profile(policy_, claim);
}

// Everyone who has a profile because nobody chose one for it is looked at anew.
void Daemon::match_anew() {
  for (const Session* session : sessions_.all()) {
    const ProfileAssignment before = session->assignment;
    if (before.origin != Origin::kMatched && before.origin != Origin::kDefault) continue;
    ProfileClaim claim;
    claim.program = session->program;
    claim.named = before.named;
    claim.ancestor = ancestor_assignment_of(session->pid);
    const auto now = choose_profile(policy_, claim);
    if (!now || now->profile == before.profile) continue;
    sessions_.change(session->pid, *now);
    publisher_->recheck(before.profile);
  }
}

nlohmann::json Daemon::move_program(const Peer& peer, const nlohmann::json& question) {
  const pid_t pid = question.value("pid", pid_t{0});
  const std::string profile = question.value("profile", "");
  const Session* session = sessions_.find(pid);
  const bool privileged = Server::privileged(peer.uid);
  // What others may not see is not there for them.
  if (session == nullptr || (!privileged && session->uid != peer.uid)) {
    return {{"error", "no program of yours with the process id " + std::to_string(pid) +
                          " runs under px (`pxctl ps` lists them)"}};
  }
  if (session->state == SessionState::kUncovered) {
    return {{"error",
             "px does not act in process " + std::to_string(pid) + ": " + session->why_uncovered}};
  }
  if (publisher_->find(profile) == nullptr) return {{"error", no_such_profile(profile)}};
  const ProfileAssignment before = session->assignment;
  sessions_.change(pid, {profile, Origin::kMoved, before.named});
  publisher_->recheck(before.profile);
  server_.broadcast(json_text(session_event("moved", *session)), session->uid);
  return {{"ok", true}, {"pid", pid}, {"from", before.profile}, {"profile", profile}};
}

}  // namespace px::broker
