// SPDX-License-Identifier: MIT
#include "preload/session/health_report.h"

#include <sys/socket.h>

#include <span>

#include "plan/bundle_wire.h"
#include "preload/process/clock.h"
#include "preload/process/signals.h"
#include "preload/process/system_calls.h"
#include "preload/session/broker_connection.h"

namespace px::shim {

void send_health_report(const Settings& settings, std::string_view profile,
                        const plan::HealthKey& key, const plan::HealthFinding& finding) {
  if (!plan::valid_profile_name(profile) || is_filtered(settings)) return;
  const KeepErrno keep;
  const BlockSignals block;
  BrokerConnection connection(monotonic_ms() + settings.deadline_ms, SOCK_NONBLOCK);
  if (connection.connect(settings) != 0) return;
  auto report = plan::make<plan::HealthReport>();
  report.interface_index = key.interface_index;
  report.network_namespace = connection.network_namespace();
  report.address = key.address;
  report.port = key.port;
  report.alive = finding.alive ? 1 : 0;
  report.fact = key.fact;
  report.round_trip_ms = finding.round_trip_ms;
  plan::fill_text(report.profile, profile);
  (void)connection.send(std::as_bytes(std::span(&report, 1)));
}

}  // namespace px::shim
