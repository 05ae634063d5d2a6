// SPDX-License-Identifier: MIT
#include "broker/publish/heartbeat.h"

#include "broker/publish/publisher.h"
#include "plan/layout.h"
#include "util/clock.h"

namespace px::broker {

void Heartbeat::start() {
  publisher_.beat(monotonic_ms());
  timer_.after(std::chrono::milliseconds(plan::kHeartbeatIntervalMs), [this] { start(); });
}

}  // namespace px::broker
