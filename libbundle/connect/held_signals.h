// SPDX-License-Identifier: MIT
// Blocks all signals of this thread in a scope, but where admit() delivers them: a handler that
// never returns (siglongjmp) would leave probes behind. Callable from any thread and from signal
// handlers. Leaves errno alone.
#pragma once

#include "libbundle/core/system_calls.h"

namespace px::bundle {

// How long a signal may wait at most.
inline constexpr std::int64_t kSignalsWaitMs = 100;

class HeldSignals {
 public:
  explicit HeldSignals(const SystemCalls& system);
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  ~HeldSignals();

  [[nodiscard]] bool waiting() const;
  // Delivers the signals that wait. Whether a blocking call is to end with EINTR: one of them has a
  // handler, which, where `restart_counts`, was not installed with SA_RESTART.
  [[nodiscard]] bool admit(bool restart_counts);

 private:
  [[nodiscard]] SignalMask pending() const;
  void set_mask(SignalMask mask) const;

  const SystemCalls& system_;
  SignalMask before_ = 0;
};

}  // namespace px::bundle
