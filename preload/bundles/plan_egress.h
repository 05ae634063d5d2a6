// SPDX-License-Identifier: MIT
// The egress of a bundle's members under the plan: each goes by its own rule's interface, source
// and next hop, and its health is what this user's programs have told the broker. For one
// connect(2), on its stack. Callable from any thread and from signal handlers. May change errno.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "libbundle/connect/egress.h"
#include "preload/bundles/round_trips.h"
#include "preload/process/settings.h"
#include "preload/process/system_calls.h"
#include "preload/session/current_plan.h"
#include "preload/session/decider.h"
#include "preload/session/member_health.h"
#include "preload/sockets/fd_table.h"
#include "preload/streams/connector.h"

namespace px::shim {

class PlanEgress final : public bundle::Egress {
 public:
  // `own` is the program's stream socket; every other one is a probe beside it. `fact`: whether it
  // is of SCTP.
  PlanEgress(const SystemCalls& system, const Settings& settings, FdTable& fds,
             const CurrentPlan& plan, Decider& decider, const MemberHealth& health,
             Connector& connector, RoundTrips& round_trips, int own, plan::HealthFact fact);

  [[nodiscard]] bundle::Errno prepare(int fd, const bundle::Endpoint& member) override;
  [[nodiscard]] bool can_move(int fd, const bundle::Endpoint& from,
                              const bundle::Endpoint& to) override;
  [[nodiscard]] bool prepare_each(int fd, std::span<const bundle::Endpoint> members) override;
  [[nodiscard]] bundle::Health health(const bundle::Endpoint& member) override;
  void report(const bundle::Endpoint& member, bool alive) override;
  [[nodiscard]] std::uint32_t round_trip_ms(const bundle::Endpoint& member) override;
  void answered(const bundle::Endpoint& member, std::int64_t after_ms) override;

  // The member that the program's socket was prepared for last, which is where it goes; nothing for
  // a socket whose egress the program has chosen itself.
  [[nodiscard]] std::optional<bundle::Endpoint> destination() const {
    if (is_own()) return std::nullopt;
    return destination_;
  }

 private:
  // Whether the program has chosen the egress, or the source.
  [[nodiscard]] bool is_own() const { return state_.kind == FdKind::kOwned || is_sourced(state_); }
  [[nodiscard]] bool honours(const plan::Entry& entry) const;
  [[nodiscard]] plan::Verdict verdict(const bundle::Endpoint& member);
  [[nodiscard]] std::uint32_t interface_of(const bundle::Endpoint& member);

  const SystemCalls& system_;
  const Settings& settings_;
  FdTable& fds_;
  Decider& decider_;
  const MemberHealth& health_;
  Connector& connector_;
  RoundTrips& round_trips_;
  const int own_;
  const plan::HealthFact fact_;
  bundle::Endpoint destination_;
  const FdState state_;  // of the own socket, before it is prepared
};

}  // namespace px::shim
