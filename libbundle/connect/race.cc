// SPDX-License-Identifier: MIT
#include "libbundle/connect/race.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <optional>

#include "libbundle/connect/findings.h"
#include "libbundle/connect/held_signals.h"
#include "libbundle/connect/probe.h"
#include "libbundle/connect/program_socket.h"
#include "libbundle/connect/schedule.h"

namespace px::bundle {
namespace {

constexpr std::size_t kNone = Schedule::kNone;
constexpr std::int64_t kHardLimitMs = 30'000;
// A non-blocking connect(2) takes at most a stagger for each member and this.
constexpr std::int64_t kAnswerMs = 500;
constexpr std::int64_t kNonBlockingLimitMs = 1'500;
// Where all members were found dead a short time ago: one of them may be back.
constexpr std::int64_t kAllDeadMs = 20;
// How long a member goes on that the socket cannot leave, though another has answered.
constexpr std::int64_t kStuckMs = 1'000;
// How many times its round trip a member may take, while the next one waits.
constexpr std::int64_t kAsLate = 2;
// Signals that come at short intervals must not keep every probe from its answer.
constexpr int kMostRetreats = 3;

class Race {
 public:
  Race(const SystemCalls& system, Egress& egress, ProgramSocket& socket, Schedule& schedule,
       const RaceTimes& times);

  [[nodiscard]] Errno run();

 private:
  // The result of the program's call, once that is known.
  using End = std::optional<Errno>;

  [[nodiscard]] std::int64_t now() const { return monotonic_ms(system_); }
  [[nodiscard]] Errno decide(HeldSignals& signals);
  [[nodiscard]] End act();
  [[nodiscard]] std::int64_t time_alone(const Candidate& candidate);
  void answered(Candidate& candidate);
  [[nodiscard]] End connect_socket(std::size_t i);
  [[nodiscard]] End settle_socket(short events);
  [[nodiscard]] End take_turn(std::size_t i);
  [[nodiscard]] End move_socket(std::size_t winner);
  void withdraw_socket();
  void start_probe(std::size_t i);
  [[nodiscard]] End settle_probe(std::size_t i, short events);
  void drop_probe(std::size_t i);
  void put_probes_back();
  [[nodiscard]] std::int64_t next_due() const;
  [[nodiscard]] End wait();
  [[nodiscard]] End admit(HeldSignals& signals);
  void give_up_the_silent();
  [[nodiscard]] Errno run_out();
  [[nodiscard]] Errno leave_connecting(Errno answer);

  const SystemCalls& system_;
  Egress& egress_;
  ProgramSocket& socket_;
  Schedule& schedule_;
  const std::int64_t stagger_;
  const std::int64_t dead_after_;
  bool movable_ = true;         // the socket, from any member to any other
  bool probing_first_ = false;  // the socket is prepared once, for a member that has answered
  bool no_probes_ = false;      // there are no descriptors left: the socket takes turns
  bool stuck_ = false;
  Findings findings_;
  int retreats_ = 0;
  std::size_t socket_at_ = kNone;
  std::int64_t time_;        // of the last look at the clock
  std::int64_t next_start_;  // of another attempt
  std::int64_t deadline_;
};

Race::Race(const SystemCalls& system, Egress& egress, ProgramSocket& socket, Schedule& schedule,
           const RaceTimes& times)
    : system_(system),
      egress_(egress),
      socket_(socket),
      schedule_(schedule),
      stagger_(times.stagger_ms),
      dead_after_(times.dead_after_ms) {
  const auto count = static_cast<std::int64_t>(schedule_.count());
  for (std::size_t i = 0; i < schedule_.count(); ++i) {
    for (std::size_t j = 0; j < schedule_.count() && movable_; ++j) {
      movable_ = schedule_[i].other_family || schedule_[j].other_family ||
                 egress_.can_move(socket_.fd(), schedule_[i].member, schedule_[j].member);
    }
  }
  // A socket that cannot move waits for a fresh answer, where there is time for one.
  probing_first_ = !movable_ && (socket_.blocks() || schedule_[0].health != Health::kAlive);
  time_ = next_start_ = now();
  std::int64_t limit = kHardLimitMs;
  if (!socket_.blocks()) {
    limit = schedule_.all_dead() ? kAllDeadMs
                                 : std::min(count * stagger_ + kAnswerMs, kNonBlockingLimitMs);
  } else if (socket_.timeout_ms() != 0) {
    limit = std::min(socket_.timeout_ms(), kHardLimitMs);
  }
  deadline_ = time_ + limit;
}

Errno Race::run() {
  Errno answer = 0;
  {
    HeldSignals signals(system_);
    answer = decide(signals);
    put_probes_back();
  }
  const bool waited = socket_.blocks() && !probing_first_;
  report_findings(egress_, schedule_,
                  {.now = time_, .dead_after_ms = dead_after_, .waited = waited});
  return answer;
}

Errno Race::decide(HeldSignals& signals) {
  for (;;) {
    time_ = now();
    End end = act();
    if (!end) end = wait();
    if (!end && signals.waiting()) end = admit(signals);
    if (end) return *end;
  }
}

// Does the one thing that is due now, if any.
Race::End Race::act() {
  give_up_the_silent();
  if (time_ >= deadline_) return run_out();
  if (schedule_.first() == kNone) return schedule_.best_error();
  const bool socket_is_due = socket_at_ == kNone && !probing_first_;
  if (socket_is_due && schedule_.next_for_socket() != kNone)
    return connect_socket(schedule_.next_for_socket());
  const std::size_t next = schedule_.next();
  if (next == kNone || time_ < next_start_) return std::nullopt;
  if (no_probes_) return take_turn(next);
  if (schedule_.in_flight() >= Schedule::kMostInFlight) {
    std::int64_t may_go_at = 0;
    const std::size_t oldest = schedule_.oldest_probe(&may_go_at);
    if (oldest == kNone || time_ < may_go_at) return std::nullopt;
    drop_probe(oldest);
    schedule_.put_back(oldest, time_, true);
  }
  start_probe(next);
  return std::nullopt;
}

// A member whose round trip is known is not doubted before that is over.
std::int64_t Race::time_alone(const Candidate& candidate) {
  return std::max<std::int64_t>(stagger_, kAsLate * egress_.round_trip_ms(candidate.member));
}

void Race::answered(Candidate& candidate) {
  candidate.answered = true;
  candidate.answered_after = now() - candidate.since;
}

Race::End Race::connect_socket(std::size_t i) {
  Candidate& candidate = schedule_[i];
  Errno error = egress_.prepare(socket_.fd(), candidate.member);
  if (error == 0) {
    schedule_.start(i, time_);
    socket_at_ = i;
    give_up_the_silent();
    const std::int64_t alone = time_alone(candidate);
    next_start_ = time_ + (no_probes_ ? alone << std::min<int>(candidate.round, 8) : alone);
    const std::int64_t wait = std::min({alone, kSignalsWaitMs, deadline_ - time_});
    error = socket_.connect_within(candidate.member, std::max<std::int64_t>(wait, 1));
    const bool known = candidate.answered || candidate.health == Health::kAlive;
    if (under_way(error)) return known && !socket_.blocks() ? End(EINPROGRESS) : std::nullopt;
    if (error == 0) answered(candidate);
    if (error == 0 || is_of_socket(error)) return error;
    socket_.abandon(candidate.member);
    socket_at_ = kNone;
    time_ = now();
    findings_.heard(time_ - candidate.since, error);
  }
  schedule_.fail(i, error);
  next_start_ = time_;
  return std::nullopt;
}

Race::End Race::settle_socket(short events) {
  Candidate& candidate = schedule_[socket_at_];
  const Errno error = socket_.settle(candidate.member, events);
  if (error == 0) {
    answered(candidate);
    return socket_.blocks() ? 0 : EINPROGRESS;
  }
  if (under_way(error)) return std::nullopt;
  if (is_of_socket(error)) return error;
  findings_.heard(time_ - candidate.since, error);
  schedule_.fail(socket_at_, error);
  socket_.abandon(candidate.member);
  socket_at_ = kNone;
  next_start_ = time_;
  return std::nullopt;
}

void Race::withdraw_socket() {
  if (socket_at_ == kNone) return;
  schedule_.put_back(socket_at_, time_, true);
  socket_.abandon(schedule_[socket_at_].member);
  socket_at_ = kNone;
}

Race::End Race::take_turn(std::size_t i) {
  withdraw_socket();
  return connect_socket(i);
}

Race::End Race::move_socket(std::size_t winner) {
  Candidate& candidate = schedule_[winner];
  candidate.answered = true;
  if (candidate.other_family) {
    // The program may go on to that member, with a socket of its family.
    schedule_.fail(winner, ENETUNREACH);
    findings_.other_answered();
    return std::nullopt;
  }
  if (socket_at_ != kNone &&
      !egress_.can_move(socket_.fd(), schedule_[socket_at_].member, candidate.member)) {
    schedule_.fail(winner, ENETUNREACH);
    deadline_ = std::min(deadline_, time_ + kStuckMs);
    stuck_ = true;
    return std::nullopt;
  }
  withdraw_socket();
  put_probes_back();
  return connect_socket(winner);
}

void Race::start_probe(std::size_t i) {
  bool no_socket = false;
  const Candidate& candidate = schedule_[i];
  const auto family =
      candidate.other_family ? family_of(candidate.member.address) : socket_.family();
  const int fd = open_probe(system_, egress_, family, candidate.member, &no_socket);
  if (fd >= 0) {
    schedule_.start(i, time_);
    schedule_[i].probe = fd;
    next_start_ = time_ + stagger_;
  } else if (!no_socket) {
    schedule_.fail(i, -fd);
  } else {
    no_probes_ = true;
    probing_first_ = false;
    put_probes_back();
    const std::size_t only = socket_at_ != kNone ? socket_at_ : schedule_.first();
    schedule_.drop_other_family(ENETUNREACH);
    if (!movable_) schedule_.keep_only(only, ENETUNREACH);
  }
}

Race::End Race::settle_probe(std::size_t i, short events) {
  if ((events & POLLNVAL) != 0) {
    // The program has closed a descriptor that it never opened; the number may be its own now.
    schedule_[i].probe = -1;
    schedule_.fail(i, EBADF);
    return std::nullopt;
  }
  const Errno error = probe_result(system_, schedule_[i].probe);
  findings_.heard(time_ - schedule_[i].since, error);
  drop_probe(i);
  if (error == 0) return move_socket(i);
  schedule_.fail(i, error);
  next_start_ = time_;
  return std::nullopt;
}

void Race::drop_probe(std::size_t i) {
  close_probe(system_, schedule_[i].probe);
  schedule_[i].probe = -1;
}

void Race::put_probes_back() {
  for (std::size_t i = 0; i < schedule_.count(); ++i) {
    if (schedule_[i].probe < 0) continue;
    drop_probe(i);
    schedule_.put_back(i, time_, false);
  }
}

std::int64_t Race::next_due() const {
  const std::int64_t latest = std::min(deadline_, time_ + kSignalsWaitMs);
  if (socket_at_ == kNone && !probing_first_ && schedule_.next_for_socket() != kNone) return time_;
  if (schedule_.next() == kNone) return latest;
  std::int64_t due = next_start_;
  if (!no_probes_ && schedule_.in_flight() >= Schedule::kMostInFlight) {
    std::int64_t may_go_at = latest;
    (void)schedule_.oldest_probe(&may_go_at);
    due = std::max(due, may_go_at);
  }
  return std::min(latest, due);
}

Race::End Race::wait() {
  std::array<pollfd, Schedule::kMostInFlight + 1> polls;
  std::array<std::size_t, polls.size()> whose;
  unsigned count = 0;
  if (socket_at_ != kNone) {
    polls[count] = {.fd = socket_.fd(), .events = POLLOUT, .revents = 0};
    whose[count++] = socket_at_;
  }
  for (std::size_t i = 0; i < schedule_.count() && count < polls.size(); ++i) {
    if (schedule_[i].probe < 0) continue;
    polls[count] = {.fd = schedule_[i].probe, .events = POLLOUT, .revents = 0};
    whose[count++] = i;
  }
  time_ = now();
  const std::int64_t left = std::max<std::int64_t>(next_due() - time_, 0);
  timespec timeout{.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1'000'000};
  if (system_.ppoll(polls.data(), count, &timeout, nullptr, sizeof(SignalMask)) <= 0) {
    return std::nullopt;
  }
  time_ = now();
  for (unsigned k = 0; k < count; ++k) {
    if (polls[k].revents == 0) continue;
    const std::size_t i = whose[k];
    // An earlier answer in this loop may have put this one back.
    const bool is_socket = i == socket_at_ && schedule_[i].probe < 0;
    if (!is_socket && schedule_[i].probe != polls[k].fd) continue;
    const End end = is_socket ? settle_socket(polls[k].revents) : settle_probe(i, polls[k].revents);
    if (end) return end;
  }
  return std::nullopt;
}

Race::End Race::admit(HeldSignals& signals) {
  if (retreats_ < kMostRetreats) {
    ++retreats_;
    put_probes_back();
  }
  const bool interrupted = signals.admit(socket_.timeout_ms() == 0);
  if (!interrupted || !socket_.blocks()) return std::nullopt;
  return leave_connecting(EINTR);
}

// Where no member waits, and the rest may never answer.
void Race::give_up_the_silent() {
  if (!findings_.end_silence() || schedule_.next_for_socket() != kNone) return;
  deadline_ = std::min(deadline_, findings_.silence_ends(schedule_, time_, stagger_));
  stuck_ = true;
}

Errno Race::run_out() {
  const bool programs = socket_.timeout_ms() != 0 && socket_.timeout_ms() < kHardLimitMs;
  if ((!socket_.blocks() || programs) && !stuck_) return leave_connecting(EINPROGRESS);
  const Errno error = schedule_.best_error();
  withdraw_socket();
  return error;
}

// Leaves the socket as a non-blocking connect(2) does.
Errno Race::leave_connecting(Errno answer) {
  put_probes_back();
  while (socket_at_ == kNone) {
    const std::size_t i = schedule_.first();
    if (i == kNone) return schedule_.best_error();
    if (const End end = connect_socket(i)) return *end;
  }
  return answer;
}

}  // namespace

Errno race(const SystemCalls& system, Egress& egress, int fd, std::span<const Endpoint> members,
           const RaceTimes& times) {
  ProgramSocket socket(system, fd);
  const auto connect_to = [&](const Endpoint& member) {
    const Errno error = egress.prepare(fd, member);
    return error != 0 ? error : socket.connect(member);
  };
  if (!socket.examine()) return connect_to(members.front());
  Schedule schedule;
  for (const Endpoint& member : members) {
    if (socket.can_reach(member.address)) schedule.add(member, egress.health(member));
  }
  if (schedule.count() == 0) return connect_to(members.front());
  for (const Endpoint& member : members) {
    if (!socket.can_reach(member.address)) schedule.add(member, egress.health(member), true);
  }
  if (schedule.count() == 1) return connect_to(schedule[0].member);
  schedule.put_dead_last();
  // Of members that are all known to be dead, the one that lives again is looked for at once.
  RaceTimes own = times;
  own.stagger_ms = std::max(schedule.all_dead() ? 0 : times.stagger_ms, kLeastStaggerMs);
  if (own.dead_after_ms == 0) own.dead_after_ms = times.stagger_ms;
  return Race(system, egress, socket, schedule, own).run();
}

}  // namespace px::bundle
