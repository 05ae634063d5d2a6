// SPDX-License-Identifier: MIT
#include "libbundle/connect/held_signals.h"

#include <signal.h>

namespace px::bundle {
namespace {

constexpr SignalMask kAll = ~SignalMask{0};

}  // namespace

HeldSignals::HeldSignals(const SystemCalls& system) : system_(system) {
  const KeepErrno keep;
  (void)system_.sigprocmask(SIG_SETMASK, &kAll, &before_, sizeof before_);
}

HeldSignals::~HeldSignals() {
  set_mask(before_);
}

bool HeldSignals::waiting() const {
  return pending() != 0;
}

bool HeldSignals::admit(bool restart_counts) {
  const KeepErrno keep;
  const SignalMask came = pending();
  bool interrupts = false;
  for (int signal = 1; signal <= 64; ++signal) {
    if ((came >> (signal - 1) & 1) == 0) continue;
    SignalAction action{};
    if (system_.sigaction(signal, nullptr, &action, sizeof(SignalMask)) != 0) continue;
    const bool handled = action.handler != reinterpret_cast<std::uintptr_t>(SIG_DFL) &&
                         action.handler != reinterpret_cast<std::uintptr_t>(SIG_IGN);
    const bool restarts = restart_counts && (action.flags & SA_RESTART) != 0;
    interrupts = interrupts || (handled && !restarts);
  }
  set_mask(before_);
  set_mask(kAll);
  return interrupts;
}

SignalMask HeldSignals::pending() const {
  const KeepErrno keep;
  SignalMask pending = 0;
  (void)system_.sigpending(&pending, sizeof pending);
  return pending & ~before_;
}

void HeldSignals::set_mask(SignalMask mask) const {
  const KeepErrno keep;
  (void)system_.sigprocmask(SIG_SETMASK, &mask, nullptr, sizeof mask);
}

}  // namespace px::bundle
