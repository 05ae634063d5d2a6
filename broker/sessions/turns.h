// SPDX-License-Identifier: MIT
// Whose message is answered next. Programs' messages come before requests, which may be dear; in
// both, users take turns. The event loop goes round between two slices, so that whoever has just
// connected is seen. Owned by the server; single-threaded.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>

#include "broker/sessions/round_robin.h"

namespace px::broker {

class Turns {
 public:
  using Turn = std::function<void()>;
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  enum class Kind {
    kProgram,  // hello, launch, mark: a program waits in a connect
    kRequest,  // whatever may take longer
  };
  // Programs' turns of one slice; a turn that has begun is not cut short.
  static constexpr std::chrono::milliseconds kSlice{2};

  explicit Turns(Clock now = &std::chrono::steady_clock::now) : now_(std::move(now)) {}

  void add(Kind kind, uid_t user, Turn turn);
  [[nodiscard]] bool empty() const { return programs_.empty() && requests_.empty(); }

  // Turns of programs while there are any and the slice lasts, then one request: programs wait for
  // one request at most, and requests for one slice.
  void run_slice();

 private:
  Clock now_;
  RoundRobin<Turn> programs_;
  RoundRobin<Turn> requests_;
};

}  // namespace px::broker
