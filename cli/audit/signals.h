// SPDX-License-Identifier: MIT
// The signals that px-audit waits for together with its other descriptors. They are blocked from
// the beginning, and given back to the program that it starts. For one thread.
#pragma once

#include <csignal>
#include <optional>

#include "util/error.h"
#include "util/fd.h"

namespace px::cli {

class WaitedSignals {
 public:
  // SIGINT, SIGQUIT, SIGTERM, SIGHUP and SIGCHLD.
  [[nodiscard]] static Expected<WaitedSignals> block();

  // Readable when one has come.
  [[nodiscard]] int descriptor() const { return signals_.get(); }
  [[nodiscard]] std::optional<int> take() const;
  // As this process found them; async-signal-safe, for a forked child.
  void give_back() const;

 private:
  WaitedSignals(Fd signals, const sigset_t& before);

  Fd signals_;
  sigset_t before_;
};

}  // namespace px::cli
