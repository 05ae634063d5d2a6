// SPDX-License-Identifier: MIT
// Which members of a bundle are tried in a race, and when: in order of preference, but members that
// are known to be dead last. Times are milliseconds of one clock. A value on the caller's stack; no
// system calls.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "libbundle/connect/egress.h"
#include "libbundle/core/bundle.h"

namespace px::bundle {

struct Candidate {
  enum class State : std::uint8_t { kWaiting, kTrying, kFailed };
  Endpoint member;
  Health health = Health::kUnknown;
  State state = State::kWaiting;
  bool other_family = false;                   // than the program's socket: only a probe gets there
  bool answered = false;                       // the handshake was completed, be it by a probe
  std::uint8_t round = 0;                      // how often it made room for others
  int probe = -1;                              // the descriptor, while a probe tries it
  Errno error = 0;                             // of kFailed
  std::int64_t since = 0;                      // of the current attempt
  std::int64_t silent = 0;                     // its longest attempt without an answer
  std::optional<std::int64_t> answered_after;  // of the program's own socket
};

class Schedule {
 public:
  static constexpr std::size_t kNone = kMostMembers;
  // Handshakes at a time, the program's socket included.
  static constexpr std::size_t kMostInFlight = 4;
  // A member's least time before it makes room for one that waits; doubled with every round.
  static constexpr std::int64_t kPatienceMs = 500;

  // Of less preference than what was added before.
  void add(const Endpoint& member, Health health, bool other_family = false);
  // To be called after the last add.
  void put_dead_last();
  // Fails all members that wait, but for `i`.
  void keep_only(std::size_t i, Errno error_of_others);
  void drop_other_family(Errno error);

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] Candidate& operator[](std::size_t i) { return candidates_[i]; }

  // The member to try next, and to try next with the program's socket; kNone where none waits.
  [[nodiscard]] std::size_t next() const { return next(true); }
  [[nodiscard]] std::size_t next_for_socket() const { return next(false); }
  // The first for the program's socket that has not failed; kNone where all have.
  [[nodiscard]] std::size_t first() const;
  [[nodiscard]] std::size_t in_flight() const;
  // The probe that is to make room first, and when; kNone where there is no probe.
  [[nodiscard]] std::size_t oldest_probe(std::int64_t* may_go_at) const;
  [[nodiscard]] bool any_answered() const;
  // Whether all members were known to be dead beforehand.
  [[nodiscard]] bool all_dead() const;

  void start(std::size_t i, std::int64_t now);
  void fail(std::size_t i, Errno error);
  // Ends the attempt; the member waits again.
  void put_back(std::size_t i, std::int64_t now, bool next_round);

  // The most telling of all failures.
  [[nodiscard]] Errno best_error() const;

 private:
  [[nodiscard]] std::size_t next(bool other_family_too) const;

  std::array<Candidate, kMostMembers> candidates_;
  std::size_t count_ = 0;
};

}  // namespace px::bundle
