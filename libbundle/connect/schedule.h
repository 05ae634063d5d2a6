// SPDX-License-Identifier: MIT
// Which members of a bundle are tried in a race, and when: in order of preference, those last that
// are known not to answer. Times are milliseconds of one clock. A value on the stack of whoever
// connects; no system calls.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "libbundle/connect/egress.h"
#include "libbundle/core/bundle.h"

namespace px::bundle {

struct Candidate {
  enum class State : std::uint8_t { kWaiting, kTrying, kFailed };
  Endpoint member;
  Health health = Health::kUnknown;
  State state = State::kWaiting;
  bool foreign = false;     // the own socket is of the other family: only a probe gets there
  bool answered = false;    // the handshake came to its end, at least with a probe
  std::uint8_t round = 0;   // how often it was given up to let others be tried
  int probe = -1;           // the descriptor, while a probe tries it
  Errno error = 0;          // of kFailed
  std::int64_t since = 0;   // of the attempt that goes on
  std::int64_t silent = 0;  // how long it was tried, at most, without an answer
};

class Schedule {
 public:
  static constexpr std::size_t kNone = kMostMembers;
  // Handshakes at a time, the own socket's included.
  static constexpr std::size_t kMostInFlight = 4;
  // What a member has at least before it makes room for one that waits; doubled with every round.
  static constexpr std::int64_t kPatienceMs = 500;

  // Of less preference than what was added before.
  void add(const Endpoint& member, Health health, bool foreign = false);
  // To be called after the last add.
  void put_dead_last();
  // None of those that wait can be reached, `i` excepted.
  void keep_only(std::size_t i, Errno error_of_others);
  void drop_foreign(Errno error);

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] Candidate& operator[](std::size_t i) { return candidates_[i]; }

  // The one to be tried next, and next by the own socket; kNone where none waits.
  [[nodiscard]] std::size_t next() const { return next(true); }
  [[nodiscard]] std::size_t next_own() const { return next(false); }
  // The first for the own socket that has not failed; kNone where all have.
  [[nodiscard]] std::size_t first() const;
  [[nodiscard]] std::size_t in_flight() const;
  // The probe that makes room first, and when; kNone where there is no probe.
  [[nodiscard]] std::size_t oldest_probe(std::int64_t* may_go_at) const;
  [[nodiscard]] bool any_answered() const;

  void start(std::size_t i, std::int64_t now);
  void fail(std::size_t i, Errno error);
  // Not tried any more, for now.
  void put_back(std::size_t i, std::int64_t now, bool next_round);

  // Of all failures that which says most.
  [[nodiscard]] Errno best_error() const;

 private:
  [[nodiscard]] std::size_t next(bool foreign_too) const;

  std::array<Candidate, kMostMembers> candidates_;
  std::size_t count_ = 0;
};

}  // namespace px::bundle
