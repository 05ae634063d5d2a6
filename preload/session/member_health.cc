// SPDX-License-Identifier: MIT
#include "preload/session/member_health.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "plan/health.h"
#include "preload/process/clock.h"
#include "preload/process/system_calls.h"
#include "preload/session/health_report.h"

namespace px::shim {
namespace {

std::uint32_t user() {
  return static_cast<std::uint32_t>(::syscall(SYS_geteuid));
}

std::uint64_t now_ms() {
  return static_cast<std::uint64_t>(clock_ms(CLOCK_BOOTTIME));
}

}  // namespace

bundle::Health MemberHealth::of(const bundle::Endpoint& member, std::uint32_t interface_index,
                                plan::HealthFact fact) const {
  const auto plan = plan_.in_force();
  if (!plan) return bundle::Health::kUnknown;
  const KeepErrno keep;
  return plan->health(plan::health_key(user(), member, interface_index, fact), now_ms());
}

std::uint16_t MemberHealth::round_trip_ms(const bundle::Endpoint& member,
                                          std::uint32_t interface_index) const {
  const auto plan = plan_.in_force();
  if (!plan) return 0;
  const KeepErrno keep;
  const auto fact = plan::HealthFact::kRoundTrip;
  return plan->round_trip_ms(plan::health_key(user(), member, interface_index, fact), now_ms());
}

void MemberHealth::report(const bundle::Endpoint& member, std::uint32_t interface_index,
                          plan::HealthFact fact, const plan::HealthFinding& finding) const {
  const auto plan = plan_.in_force();
  if (!plan || settings_.problem != nullptr) return;
  const auto key = plan::health_key(0, member, interface_index, fact);
  send_health_report(settings_, plan->profile(), key, finding);
}

}  // namespace px::shim
