// SPDX-License-Identifier: MIT
// Which members of bundles answer, as this user's programs under this profile have found out: read
// from the plan's file, told to the broker. Holds nothing but references. Changes no errno.
#pragma once

#include <cstdint>

#include "libbundle/connect/egress.h"
#include "plan/health.h"
#include "preload/process/settings.h"
#include "preload/session/current_plan.h"

namespace px::shim {

class MemberHealth {
 public:
  constexpr MemberHealth(const Settings& settings, const CurrentPlan& plan)
      : settings_(settings), plan_(plan) {}

  // What is known of the member by that interface (0: the one that its scope names, or the host's
  // choice). Asks nobody.
  [[nodiscard]] bundle::Health of(const bundle::Endpoint& member, std::uint32_t interface_index,
                                  plan::HealthFact fact = plan::HealthFact::kStreams) const;
  // How long its answer took another program, in milliseconds; 0: not known. Asks nobody.
  [[nodiscard]] std::uint16_t round_trip_ms(const bundle::Endpoint& member,
                                            std::uint32_t interface_index) const;
  // Tells the others, through the broker, without waiting for it.
  void report(const bundle::Endpoint& member, std::uint32_t interface_index, plan::HealthFact fact,
              const plan::HealthFinding& finding) const;

 private:
  const Settings& settings_;
  const CurrentPlan& plan_;
};

}  // namespace px::shim
