// SPDX-License-Identifier: MIT
// Asks the broker to set px's mark on a socket of this program (docs/protocol.md, "A program:
// mark"): SO_MARK takes a privilege that programs lack. Bounded by one deadline, leaves nothing
// open. Bare system calls alone; callable from any thread and from signal handlers, with signals
// blocked by the caller. May change errno.
#pragma once

#include <array>
#include <cstdint>

#include "plan/wire.h"
#include "preload/process/settings.h"

namespace px::shim {

struct MarkAnswer {
  bool marked = false;
  // Where it is not: what the broker said; empty where nobody answered as a broker does.
  std::array<char, plan::kReasonSize> reason{};
};

// `mark` as in plan::Mark.
[[nodiscard]] MarkAnswer request_mark(const Settings& settings, int fd, std::uint32_t mark);

}  // namespace px::shim
