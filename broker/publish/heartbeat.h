// SPDX-License-Identifier: MIT
// Tells programs through their plans that the broker lives: the plans' heartbeat, at its interval
// (plan::kHeartbeatIntervalMs). Owned by the daemon; single-threaded.
#pragma once

#include "util/timer.h"

namespace px::broker {

class Publisher;

class Heartbeat {
 public:
  Heartbeat(asio::io_context& context, Publisher& publisher)
      : publisher_(publisher), timer_(context) {}

  // Beats now, and again and again from then on.
  void start();

 private:
  Publisher& publisher_;
  Timer timer_;
};

}  // namespace px::broker
