// SPDX-License-Identifier: MIT
// No signal is delivered to this thread in the scope, libc's own (cancellation) included: a handler
// that never returns would leave descriptors behind. Bare system calls; changes no errno unless the
// kernel refuses, which it does not.
#pragma once

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libbundle/core/system_calls.h"

namespace px::shim {

using bundle::SignalMask;

class BlockSignals {
 public:
  BlockSignals() {
    const SignalMask all = ~SignalMask{0};
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof before_);
  }
  BlockSignals(const BlockSignals&) = delete;
  BlockSignals& operator=(const BlockSignals&) = delete;
  ~BlockSignals() { ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_); }

 private:
  SignalMask before_ = 0;
};

}  // namespace px::shim
