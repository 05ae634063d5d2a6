// SPDX-License-Identifier: MIT
#include "libbundle/connect/findings.h"

#include <algorithm>
#include <cerrno>

namespace px::bundle {
namespace {

using State = Candidate::State;

// A silent member's time where all others have refused: enough for a second SYN.
constexpr std::int64_t kRetransmittedMs = 1'200;
// One member's answer comes within this many times another one's, as a rule.
constexpr std::int64_t kAsSoon = 3;

bool means_dead(Errno error) {
  return error == ECONNREFUSED || error == ETIMEDOUT || error == EHOSTUNREACH ||
         error == ECONNRESET;
}

bool is_silent(const Candidate& candidate, const RaceEnd& end) {
  if (candidate.state == State::kFailed) return false;
  const std::int64_t silent =
      candidate.state == State::kTrying ? end.now - candidate.since : candidate.silent;
  return silent >= end.dead_after_ms;
}

}  // namespace

void Findings::heard(std::int64_t after_ms, Errno error) {
  if (error != 0 && error != ECONNREFUSED) return;
  if (error != 0) refused_ = true;
  took_ms_ = std::max(took_ms_, after_ms);
}

std::int64_t Findings::patience(const Candidate& silent, std::int64_t stagger_ms) const {
  const std::int64_t as_soon = kAsSoon * took_ms_;
  if (other_answered_) return std::max(stagger_ms, as_soon);
  if (silent.health == Health::kDead) return std::max<std::int64_t>(kLeastStaggerMs, as_soon);
  return std::max(kRetransmittedMs, as_soon);
}

std::int64_t Findings::silence_ends(Schedule& schedule, std::int64_t now,
                                    std::int64_t stagger_ms) const {
  std::int64_t latest = now;
  for (std::size_t i = 0; i < schedule.count(); ++i) {
    const Candidate& candidate = schedule[i];
    if (candidate.state != State::kTrying || candidate.other_family) continue;
    latest = std::max(latest, candidate.since + patience(candidate, stagger_ms));
  }
  return latest;
}

void report_findings(Egress& egress, Schedule& schedule, const RaceEnd& end) {
  for (std::size_t i = 0; i < schedule.count(); ++i) {
    const Candidate& candidate = schedule[i];
    if (candidate.answered_after) egress.answered(candidate.member, *candidate.answered_after);
  }
  const bool answered = schedule.any_answered();
  bool each_had_its_time = true;
  for (std::size_t i = 0; i < schedule.count(); ++i) {
    const bool failed = schedule[i].state == State::kFailed;
    each_had_its_time = each_had_its_time && (failed || is_silent(schedule[i], end));
  }
  if (!answered && !each_had_its_time) return;
  bool learnt = !end.waited;
  for (std::size_t i = 0; i < schedule.count(); ++i) {
    const Candidate& candidate = schedule[i];
    const bool refused =
        answered && candidate.state == State::kFailed && means_dead(candidate.error);
    if (candidate.answered || (!refused && !is_silent(candidate, end))) continue;
    learnt = true;
    if (candidate.health != Health::kDead) egress.report(candidate.member, false);
  }
  for (std::size_t i = 0; i < schedule.count(); ++i) {
    const Candidate& candidate = schedule[i];
    if (!candidate.answered || candidate.health == Health::kAlive) continue;
    if (learnt || candidate.health == Health::kDead) egress.report(candidate.member, true);
  }
}

}  // namespace px::bundle
