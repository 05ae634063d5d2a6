// SPDX-License-Identifier: MIT
#include "libbundle/connect/schedule.h"

#include <algorithm>
#include <cerrno>

namespace px::bundle {
namespace {

using State = Candidate::State;

// How telling a failure is: most so is the answer of the host, then a router's, then silence; least
// a refusal of this host itself.
int weight(Errno error) {
  switch (error) {
    case ECONNREFUSED:
      return 6;
    case EHOSTUNREACH:
      return 4;
    case ETIMEDOUT:
      return 3;
    case ENETUNREACH:
      return 2;
    case EACCES:
      return 1;
    default:
      return 5;
  }
}

}  // namespace

void Schedule::add(const Endpoint& member, Health health, bool other_family) {
  if (count_ == candidates_.size()) return;
  candidates_[count_].member = member;
  candidates_[count_].health = health;
  candidates_[count_].other_family = other_family;
  ++count_;
}

// Insertion keeps the order of the others, and needs no memory.
void Schedule::put_dead_last() {
  auto* const begin = candidates_.begin();
  auto* end_of_living = begin;
  for (auto* it = begin; it != begin + count_; ++it) {
    if (it->health == Health::kDead) continue;
    std::rotate(end_of_living, it, it + 1);
    ++end_of_living;
  }
}

void Schedule::keep_only(std::size_t i, Errno error_of_others) {
  for (std::size_t other = 0; other < count_; ++other) {
    if (other == i || candidates_[other].state != State::kWaiting) continue;
    fail(other, error_of_others);
  }
}

void Schedule::drop_other_family(Errno error) {
  for (std::size_t i = 0; i < count_; ++i) {
    if (candidates_[i].other_family) fail(i, error);
  }
}

std::size_t Schedule::next(bool other_family_too) const {
  std::size_t found = kNone;
  for (std::size_t i = 0; i < count_; ++i) {
    if (candidates_[i].state != State::kWaiting) continue;
    if (candidates_[i].other_family && !other_family_too) continue;
    if (found == kNone || candidates_[i].round < candidates_[found].round) found = i;
  }
  return found;
}

std::size_t Schedule::first() const {
  for (std::size_t i = 0; i < count_; ++i) {
    if (candidates_[i].state != State::kFailed && !candidates_[i].other_family) return i;
  }
  return kNone;
}

std::size_t Schedule::in_flight() const {
  return static_cast<std::size_t>(
      std::count_if(candidates_.begin(), candidates_.begin() + count_,
                    [](const Candidate& one) { return one.state == State::kTrying; }));
}

std::size_t Schedule::oldest_probe(std::int64_t* may_go_at) const {
  std::size_t oldest = kNone;
  for (std::size_t i = 0; i < count_; ++i) {
    const Candidate& candidate = candidates_[i];
    if (candidate.probe < 0) continue;
    const std::int64_t at = candidate.since + (kPatienceMs << std::min<int>(candidate.round, 4));
    if (oldest != kNone && at >= *may_go_at) continue;
    oldest = i;
    *may_go_at = at;
  }
  return oldest;
}

bool Schedule::any_answered() const {
  return std::any_of(candidates_.begin(), candidates_.begin() + count_,
                     [](const Candidate& one) { return one.answered; });
}

bool Schedule::all_dead() const {
  return std::all_of(candidates_.begin(), candidates_.begin() + count_,
                     [](const Candidate& one) { return one.health == Health::kDead; });
}

void Schedule::start(std::size_t i, std::int64_t now) {
  candidates_[i].state = State::kTrying;
  candidates_[i].since = now;
}

void Schedule::fail(std::size_t i, Errno error) {
  candidates_[i].state = State::kFailed;
  candidates_[i].error = error;
}

void Schedule::put_back(std::size_t i, std::int64_t now, bool next_round) {
  Candidate& candidate = candidates_[i];
  candidate.silent = std::max(candidate.silent, now - candidate.since);
  candidate.state = State::kWaiting;
  if (next_round && candidate.round < UINT8_MAX) ++candidate.round;
}

Errno Schedule::best_error() const {
  Errno best = ETIMEDOUT;
  int best_weight = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    const bool failed = candidates_[i].state == State::kFailed;
    const Errno error = failed ? candidates_[i].error : ETIMEDOUT;
    if (weight(error) <= best_weight) continue;
    best = error;
    best_weight = weight(error);
  }
  return best;
}

}  // namespace px::bundle
