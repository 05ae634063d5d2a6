// SPDX-License-Identifier: MIT
#include "cli/audit/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace px::cli {

WaitedSignals::WaitedSignals(Fd signals, const sigset_t& before)
    : signals_(std::move(signals)), before_(before) {}

Expected<WaitedSignals> WaitedSignals::block() {
  sigset_t waited;
  sigset_t before;
  sigemptyset(&waited);
  for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&waited, number);
  if (sigprocmask(SIG_BLOCK, &waited, &before) != 0) return fail_errno("cannot block signals");
  Fd signals(signalfd(-1, &waited, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) return fail_errno("cannot wait for signals");
  return WaitedSignals(std::move(signals), before);
}

std::optional<int> WaitedSignals::take() const {
  signalfd_siginfo info{};
  if (read(signals_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info))
    return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

void WaitedSignals::give_back() const {
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace px::cli
