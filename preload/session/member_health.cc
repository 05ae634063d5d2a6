// SPDX-License-Identifier: MIT
#include "preload/session/member_health.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "plan/health.h"
#include "preload/process/clock.h"
#include "preload/process/system_calls.h"
#include "preload/session/health_report.h"

namespace px::shim {

bundle::Health MemberHealth::of(const bundle::Endpoint& member,
                                std::uint32_t interface_index) const {
  const auto plan = plan_.in_force();
  if (!plan) return bundle::Health::kUnknown;
  const KeepErrno keep;
  const auto user = static_cast<std::uint32_t>(::syscall(SYS_geteuid));
  return plan->health(plan::health_key(user, member, interface_index),
                      static_cast<std::uint64_t>(clock_ms(CLOCK_BOOTTIME)));
}

void MemberHealth::report(const bundle::Endpoint& member, std::uint32_t interface_index,
                          bool alive) const {
  const auto plan = plan_.in_force();
  if (!plan || settings_.problem != nullptr) return;
  send_health_report(settings_, plan->profile(), plan::health_key(0, member, interface_index),
                     alive);
}

}  // namespace px::shim
