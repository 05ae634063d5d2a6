// SPDX-License-Identifier: MIT
// What a race has found out of its members: which are silent beyond hope, and what others are to
// know of them. Times are milliseconds of one clock. Values on the caller's stack; no system calls
// but those of Egress::report().
#pragma once

#include <cstdint>

#include "libbundle/connect/egress.h"
#include "libbundle/connect/schedule.h"

namespace px::bundle {

inline constexpr std::uint32_t kLeastStaggerMs = 10;  // RFC 8305, section 5

class Findings {
 public:
  // A member's attempt ended after that time: with an answer (0), or an errno.
  void heard(std::int64_t after_ms, Errno error);
  // A member answered that only a socket of another family can reach.
  void other_answered() { other_answered_ = true; }

  // Whether what was heard says that members which are still silent may never answer.
  [[nodiscard]] bool end_silence() const { return refused_ || other_answered_; }
  // When the last of them has had its time.
  [[nodiscard]] std::int64_t silence_ends(Schedule& schedule, std::int64_t now,
                                          std::int64_t stagger_ms) const;

 private:
  [[nodiscard]] std::int64_t patience(const Candidate& silent, std::int64_t stagger_ms) const;

  bool refused_ = false;
  bool other_answered_ = false;
  std::int64_t took_ms_ = 0;  // the longest answer or refusal
};

struct RaceEnd {
  std::int64_t now = 0;
  std::int64_t dead_after_ms = 0;
  bool waited = false;  // the program itself, for its first member at least
};

// Reports how long an answer took, and what else was learnt: nothing, where the first member
// answered a program that waited for it, or where all have refused. Where nobody was heard, each
// member must have had its time.
void report_findings(Egress& egress, Schedule& schedule, const RaceEnd& end);

}  // namespace px::bundle
