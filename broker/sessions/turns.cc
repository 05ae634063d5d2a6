// SPDX-License-Identifier: MIT
#include "broker/sessions/turns.h"

#include <algorithm>

namespace px::broker {

void Turns::add(Kind kind, uid_t user, Turn turn) {
  (kind == Kind::kProgram ? programs_ : requests_).add(user, std::move(turn));
}

std::optional<Turns::Time> Turns::due() const {
  if (!programs_.empty()) return Time{};
  if (!requests_.empty()) return next_request_;
  return std::nullopt;
}

void Turns::run_slice() {
  const auto end = now_() + kSlice;
  while (!programs_.empty()) {
    programs_.take()();
    if (now_() >= end) break;
  }
  const Time begun = now_();
  if (requests_.empty() || begun < next_request_) return;
  next_request_ = begun + kLongestRest;  // where it throws
  requests_.take()();
  const Time ended = now_();
  next_request_ = ended + std::min<Time::duration>(kRest * (ended - begun), kLongestRest);
}

}  // namespace px::broker
