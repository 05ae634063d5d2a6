// SPDX-License-Identifier: MIT
// No signal is delivered to this thread in the scope, except where it is let in: a handler that
// never returns (siglongjmp) would leave probes behind. Callable from any thread and from signal
// handlers. Changes no errno.
#pragma once

#include "libbundle/core/system_calls.h"

namespace px::bundle {

// How long a signal may wait, at most, before it is let in.
inline constexpr std::int64_t kSignalsWaitMs = 100;

class HeldSignals {
 public:
  explicit HeldSignals(const SystemCalls& system);
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  ~HeldSignals();

  [[nodiscard]] bool waiting() const;
  // Lets in what waits. Whether one of them has a handler, and not SA_RESTART where
  // `restart_counts`: a call that blocks ends with EINTR then.
  [[nodiscard]] bool let_in(bool restart_counts);

 private:
  [[nodiscard]] SignalMask pending() const;
  void set_mask(SignalMask mask) const;

  const SystemCalls& system_;
  SignalMask before_ = 0;
};

}  // namespace px::bundle
