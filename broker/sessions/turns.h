// SPDX-License-Identifier: MIT
// Whose message is answered next. Programs' messages come before requests, which may be dear; in
// both, users take turns. The event loop goes round between two slices, so that whoever has just
// connected is seen. Requests take up a quarter of the time at most: who has no work, the kernel
// gives a processor at once when a program calls. Owned by the server; single-threaded.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>

#include "broker/sessions/round_robin.h"

namespace px::broker {

class Turns {
 public:
  using Turn = std::function<void()>;
  using Time = std::chrono::steady_clock::time_point;
  using Clock = std::function<Time()>;
  enum class Kind {
    kProgram,  // hello, launch, mark: a program waits in a connect
    kRequest,  // whatever may take longer
  };
  // Programs' turns of one slice; a turn that has begun is not cut short.
  static constexpr std::chrono::milliseconds kSlice{2};
  // After a request there is none for so many times what it took, and for no longer than this.
  static constexpr int kRest = 3;
  static constexpr std::chrono::milliseconds kLongestRest{20};

  explicit Turns(Clock now = &std::chrono::steady_clock::now) : now_(std::move(now)) {}

  void add(Kind kind, uid_t user, Turn turn);
  [[nodiscard]] bool has_programs() const { return !programs_.empty(); }
  // When the next slice is due, which may be over; nothing where nobody waits.
  [[nodiscard]] std::optional<Time> due() const;

  // Turns of programs while there are any and the slice lasts, then one request, where one is due:
  // programs wait for one request at most, and requests for one slice and a rest.
  void run_slice();

 private:
  Clock now_;
  RoundRobin<Turn> programs_;
  RoundRobin<Turn> requests_;
  Time next_request_{};
};

}  // namespace px::broker
