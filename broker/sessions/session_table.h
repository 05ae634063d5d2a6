// SPDX-License-Identifier: MIT
// The programs that run under px, by process: from the first word of px-exec or libpx.so to the end
// of the process, as the kernel tells it.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/identity/processes.h"
#include "broker/identity/profile_assignment.h"
#include "broker/sessions/counters_page.h"
#include "broker/sessions/places.h"
#include "ipc/peer.h"
#include "util/error.h"

namespace asio {
class io_context;
}

namespace px::broker {

using ipc::Peer;

enum class SessionState {
  kLaunched,   // px-exec announced it; libpx.so has had nothing to do yet
  kCovered,    // libpx.so said hello
  kUncovered,  // px-exec announced a program that libpx.so cannot act in
};

struct Session {
  pid_t pid = 0;
  uid_t uid = 0;                 // whose it was at its last message: user_of()
  std::string executable;        // for people; at its or px-exec's last message
  Program program;               // as far as it was known then
  ProfileAssignment assignment;  // an empty profile: to be told so at its next hello
  SessionState state = SessionState::kLaunched;
  std::string why_uncovered;
  std::chrono::system_clock::time_point since;

  [[nodiscard]] Totals totals() const;
  // Has every user of the pages say hello before the next decision.
  void recheck() const;

  // One page a hello: several threads or several programs after one another in one process.
  std::vector<CountersPage> pages;
  Totals folded;        // of pages that are gone, and what the broker counts itself
  Totals under_others;  // of totals(): what was counted under the profiles that it had before
};

class SessionTable {
 public:
  enum class Change { kStarted, kEnded };
  using Listener = std::function<void(const Session&, Change)>;
  struct Limits {
    std::size_t per_user;
    std::size_t in_all;
  };

  SessionTable(asio::io_context& context, Limits limits, Listener listener,
               CountedAs counted_as = &counted_as_itself);
  ~SessionTable();

  // A program's hello: the descriptor of its new counters page. An error is a quota's.
  [[nodiscard]] Expected<Fd> hello(const Peer& peer, const ProfileAssignment& assignment,
                                   Program program);
  // px-exec's message about the program that it is about to become; without `why_uncovered` px can
  // act in it.
  [[nodiscard]] Expected<void> launch(const Peer& peer, const ProfileAssignment& assignment,
                                      const std::string& why_uncovered);
  // From now on the process, which has a session, has this one. It says hello before its next
  // decision where it has a page; so does a forked child that has its parent's.
  void change(pid_t pid, const ProfileAssignment& assignment);
  // A name was looked up for the process, if it still has a session.
  void count_name(pid_t pid, bool failed);
  // The process runs under px no more.
  void forget(pid_t pid) { ended(pid); }
  // Forgets what is known of the number where another process may have it by now: the kernel may
  // tell of an end only after a new process has connected.
  void forget_ended(pid_t pid);

  [[nodiscard]] std::vector<const Session*> all() const;  // by process id
  [[nodiscard]] std::size_t size() const { return sessions_.size(); }
  [[nodiscard]] std::size_t running_under(const std::string& profile) const;
  [[nodiscard]] std::map<std::string, std::size_t> programs_by_profile() const;
  // What programs have counted under each profile, ended ones included.
  [[nodiscard]] std::map<std::string, Totals> totals_by_profile() const;
  // The profile is no more: what ended programs counted under it is forgotten.
  void forget_totals(const std::string& profile) { counted_.erase(profile); }
  [[nodiscard]] const Session* find(pid_t pid) const;
  // The same, of a process that is connected now.
  [[nodiscard]] const Session* find_connected(pid_t pid);
  [[nodiscard]] const Limits& limits() const { return limits_; }

 private:
  struct Watched;
  [[nodiscard]] Expected<Session*> find_or_add(const Peer& peer,
                                               const ProfileAssignment& assignment,
                                               Program program);
  [[nodiscard]] bool is_full_for(uid_t user) const;
  // Gives the session this profile. What it has counted stays that of the profile before.
  void assign(Session& session, const ProfileAssignment& assignment);
  void watch(Watched& watched);
  void ended(pid_t pid);

  asio::io_context& context_;
  Limits limits_;
  Listener listener_;
  CountedAs counted_as_;
  std::map<pid_t, std::unique_ptr<Watched>> sessions_;
  std::map<uid_t, std::size_t> per_user_;  // as they count
  // By profile: of programs that have ended, or have another one now.
  std::map<std::string, Totals> counted_;
};

}  // namespace px::broker
