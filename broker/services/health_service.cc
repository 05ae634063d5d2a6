// SPDX-License-Identifier: MIT
#include "broker/services/health_service.h"

#include "broker/publish/publisher.h"
#include "util/clock.h"

namespace px::broker {

void HealthService::register_with(Dispatcher& dispatcher) {
  dispatcher.add(plan::MessageType::kHealthReport, [this](const Peer& peer, Packet packet) {
    const auto report = plan::parse<plan::HealthReport>(packet);
    if (report) record(peer, *report);
    return no_answer();
  });
}

// The user is the one whom the kernel names: a report is about that user's own programs alone.
void HealthService::record(const Peer& peer, const plan::HealthReport& report) {
  if (network_namespace_.excludes(report.network_namespace)) return;
  const plan::HealthKey key{peer.uid, report.interface_index, report.address, report.port,
                            report.fact};
  publisher_.record_health(report.profile, key, {report.alive != 0, report.round_trip_ms},
                           boottime_ms());
}

}  // namespace px::broker
