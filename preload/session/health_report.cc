// SPDX-License-Identifier: MIT
#include "preload/session/health_report.h"

#include <sys/socket.h>

#include <span>

#include "plan/bundle_wire.h"
#include "preload/process/signals.h"
#include "preload/process/system_calls.h"
#include "preload/session/broker_connection.h"

namespace px::shim {

void send_health_report(const Settings& settings, std::string_view profile,
                        const plan::HealthKey& key, bool alive) {
  if (!plan::valid_profile_name(profile)) return;
  const KeepErrno keep;
  const BlockSignals block;
  BrokerConnection connection(SOCK_NONBLOCK);
  if (!connection.connect(settings)) return;
  plan::HealthReport outcome{};
  outcome.header = plan::header_of(plan::MessageType::kHealthReport, sizeof outcome);
  outcome.interface_index = key.interface_index;
  outcome.network_namespace = connection.network_namespace();
  outcome.address = key.address;
  outcome.port = key.port;
  outcome.alive = alive ? 1 : 0;
  plan::fill_text(outcome.profile, profile);
  (void)connection.send(std::as_bytes(std::span(&outcome, 1)));
}

}  // namespace px::shim
