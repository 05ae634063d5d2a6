// SPDX-License-Identifier: MIT
#include "broker/sessions/session_table.h"

#include <fcntl.h>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <utility>

#include "util/readiness.h"

namespace px::broker {
namespace {

// More hellos than this of one process, and the oldest page's counts are kept without the page.
constexpr std::size_t kMostPages = 4;

// The connection, which may end before the process, has the other one.
Fd copy_of(const Fd& pidfd) {
  return Fd(fcntl(pidfd.get(), F_DUPFD_CLOEXEC, 0));
}

}  // namespace

struct SessionTable::Watched {
  Watched(asio::io_context& context, Fd pidfd, uid_t counted_as)
      : process(context, pidfd.release()), user(counted_as) {}

  asio::posix::stream_descriptor process;
  uid_t user;  // against whose quota it counts
  Session session;
};

Totals Session::totals() const {
  Totals totals = folded;
  for (const CountersPage& page : pages) totals += page.totals();
  return totals;
}

void Session::recheck() const {
  for (const CountersPage& page : pages) page.raise_recheck();
}

SessionTable::SessionTable(asio::io_context& context, Limits limits, Listener listener,
                           CountedAs counted_as)
    : context_(context),
      limits_(limits),
      listener_(std::move(listener)),
      counted_as_(std::move(counted_as)) {}

SessionTable::~SessionTable() = default;

// The last places are for users who have none.
bool SessionTable::is_full_for(uid_t user) const {
  constexpr std::size_t kKeptShare = 8;
  const auto found = per_user_.find(user);
  if (found == per_user_.end()) return sessions_.size() >= limits_.in_all;
  return found->second >= limits_.per_user ||
         sessions_.size() + limits_.in_all / kKeptShare >= limits_.in_all;
}

Expected<Session*> SessionTable::find_or_add(const Peer& peer, const ProfileAssignment& assignment,
                                             Program program) {
  const std::string executable =
      program.executable.empty() ? ipc::executable_of(peer.pid) : program.executable;
  forget_ended(peer.pid);
  if (const auto found = sessions_.find(peer.pid); found != sessions_.end()) {
    Session& session = found->second->session;
    session.uid = user_of(peer.pid, peer.uid);
    assign(session, assignment);
    session.executable = executable;
    session.program = std::move(program);
    return &session;
  }
  const uid_t user = counted_as_(peer.uid);
  if (is_full_for(user)) {
    return fail("too many programs run under px: at most " + std::to_string(limits_.per_user) +
                " of one user and " + std::to_string(limits_.in_all) + " in all");
  }
  const pid_t pid = peer.pid;
  auto watched = std::make_unique<Watched>(context_, copy_of(peer.process), user);
  watched->session.pid = pid;
  watched->session.uid = user_of(pid, peer.uid);
  watched->session.assignment = assignment;
  watched->session.executable = executable;
  watched->session.program = std::move(program);
  watched->session.since = std::chrono::system_clock::now();
  ++per_user_[user];
  Watched& added = *sessions_.emplace(pid, std::move(watched)).first->second;
  watch(added);
  return &added.session;
}

void SessionTable::assign(Session& session, const ProfileAssignment& assignment) {
  if (session.assignment.profile != assignment.profile) {
    const Totals totals = session.totals();
    counted_[session.assignment.profile] += totals.since(session.under_others);
    session.under_others = totals;
  }
  session.assignment = assignment;
}

void SessionTable::watch(Watched& watched) {
  watched.process.async_wait(asio::posix::stream_descriptor::wait_read,
                             [this, pid = watched.session.pid](const std::error_code& error) {
                               if (error) return;
                               forget_ended(pid);
                               // Still there: it was no event of this process.
                               const auto found = sessions_.find(pid);
                               if (found != sessions_.end()) watch(*found->second);
                             });
}

Expected<Fd> SessionTable::hello(const Peer& peer, const ProfileAssignment& assignment,
                                 Program program) {
  PX_ASSIGN_OR_RETURN(CountersPage::Made made, CountersPage::make());
  PX_ASSIGN_OR_RETURN(Session * found, find_or_add(peer, assignment, std::move(program)));
  Session& session = *found;
  if (session.pages.size() == kMostPages) {
    session.folded += session.pages.front().totals();
    // A forked child may use it, and could not be told by it any more.
    session.pages.front().raise_recheck();
    session.pages.erase(session.pages.begin());
  }
  session.pages.push_back(std::move(made.page));
  // One process may say hello often (a restarted broker, an exec); it starts once.
  const bool started = session.state != SessionState::kCovered;
  session.state = SessionState::kCovered;
  session.why_uncovered.clear();
  if (started) listener_(session, Change::kStarted);
  return std::move(made.fd);
}

Expected<void> SessionTable::launch(const Peer& peer, const ProfileAssignment& assignment,
                                    const std::string& why_uncovered) {
  PX_ASSIGN_OR_RETURN(Session * found, find_or_add(peer, assignment, {}));
  Session& session = *found;
  session.state = why_uncovered.empty() ? SessionState::kLaunched : SessionState::kUncovered;
  session.why_uncovered = why_uncovered;
  if (session.state == SessionState::kUncovered) listener_(session, Change::kStarted);
  return {};
}

void SessionTable::change(pid_t pid, const ProfileAssignment& assignment) {
  Session& session = sessions_.at(pid)->session;
  assign(session, assignment);
  session.recheck();
}

void SessionTable::count_name(pid_t pid, bool failed) {
  const auto found = sessions_.find(pid);
  if (found == sessions_.end()) return;
  Totals& counted = found->second->session.folded;
  ++counted.names;
  if (failed) ++counted.names_failed;
}

void SessionTable::forget_ended(pid_t pid) {
  const auto found = sessions_.find(pid);
  if (found != sessions_.end() && is_readable(found->second->process.native_handle())) ended(pid);
}

void SessionTable::ended(pid_t pid) {
  const auto found = sessions_.find(pid);
  if (found == sessions_.end()) return;
  const auto watched = std::move(found->second);
  sessions_.erase(found);
  const auto of_user = per_user_.find(watched->user);
  if (--of_user->second == 0) per_user_.erase(of_user);
  const Session& session = watched->session;
  counted_[session.assignment.profile] += session.totals().since(session.under_others);
  session.recheck();  // forked children may use its pages
  listener_(session, Change::kEnded);
}

std::vector<const Session*> SessionTable::all() const {
  std::vector<const Session*> sessions;
  for (const auto& [pid, watched] : sessions_) sessions.push_back(&watched->session);
  return sessions;
}

std::size_t SessionTable::running_under(const std::string& profile) const {
  std::size_t count = 0;
  for (const auto& [pid, watched] : sessions_)
    count += watched->session.assignment.profile == profile;
  return count;
}

std::map<std::string, std::size_t> SessionTable::programs_by_profile() const {
  std::map<std::string, std::size_t> programs;
  for (const auto& [pid, watched] : sessions_) ++programs[watched->session.assignment.profile];
  return programs;
}

std::map<std::string, Totals> SessionTable::totals_by_profile() const {
  auto totals = counted_;
  for (const auto& [pid, watched] : sessions_) {
    const Session& session = watched->session;
    totals[session.assignment.profile] += session.totals().since(session.under_others);
  }
  return totals;
}

const Session* SessionTable::find(pid_t pid) const {
  const auto found = sessions_.find(pid);
  return found == sessions_.end() ? nullptr : &found->second->session;
}

const Session* SessionTable::find_connected(pid_t pid) {
  forget_ended(pid);
  return find(pid);
}

}  // namespace px::broker
