// SPDX-License-Identifier: MIT
#include "broker/sessions/turns.h"

namespace px::broker {

void Turns::add(Kind kind, uid_t user, Turn turn) {
  (kind == Kind::kProgram ? programs_ : requests_).add(user, std::move(turn));
}

void Turns::run_slice() {
  const auto end = now_() + kSlice;
  while (!programs_.empty()) {
    programs_.take()();
    if (now_() >= end) break;
  }
  if (!requests_.empty()) requests_.take()();
}

}  // namespace px::broker
