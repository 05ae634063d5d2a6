// SPDX-License-Identifier: MIT
// connect(2) to a bundle: to a sockaddr_bundle, or to one address of a bundle that the program was
// given (PB-4, PB-5). The program's socket connects to whichever member answers. Holds references,
// and what it has learnt of members' answers. One static instance. Callable from any thread and
// from signal handlers; errno changes only with a failure.
#pragma once

#include <optional>

#include "libbundle/core/bundle.h"
#include "preload/bundles/recent_losses.h"
#include "preload/bundles/round_trips.h"
#include "preload/names/bundle_cache.h"
#include "preload/process/settings.h"
#include "preload/process/system_calls.h"
#include "preload/session/broker_session.h"
#include "preload/session/current_plan.h"
#include "preload/session/decider.h"
#include "preload/session/member_health.h"
#include "preload/sockets/call_address.h"
#include "preload/sockets/fd_table.h"
#include "preload/streams/connector.h"

namespace px::shim {

class BundleConnecting {
 public:
  constexpr BundleConnecting(const SystemCalls& system, const Settings& settings, FdTable& fds,
                             const CurrentPlan& plan, BrokerSession& session, Decider& decider,
                             const MemberHealth& health, Connector& connector,
                             const BundleCache& cache)
      : system_(system),
        settings_(settings),
        fds_(fds),
        plan_(plan),
        session_(session),
        decider_(decider),
        health_(health),
        connector_(connector),
        cache_(cache) {}

  // Whether connect() below is to be asked about addresses that are no bundles.
  [[nodiscard]] bool may_concern_single() const { return !cache_.empty(); }

  // The call's result; nothing where it is no connect to a bundle, and to be made as any other.
  // EINVAL for a sockaddr_bundle that is none.
  [[nodiscard]] std::optional<int> connect(int fd, const CallAddress& destination);

 private:
  // False for what names no bundle.
  [[nodiscard]] bool find(const CallAddress& destination, bundle::Bundle* found) const;
  [[nodiscard]] bool read_bundle(const CallAddress& destination, bundle::Bundle* found) const;
  [[nodiscard]] std::uint32_t stagger_for(const bundle::Bundle& bundle) const;
  [[nodiscard]] bool has_tcp() const;
  [[nodiscard]] std::uint32_t shortened(int fd, std::uint32_t stagger_ms) const;
  void ask_for_subflows(int fd, const bundle::Bundle& bundle,
                        const bundle::Endpoint& destination) const;

  const SystemCalls& system_;
  const Settings& settings_;
  FdTable& fds_;
  const CurrentPlan& plan_;
  BrokerSession& session_;
  Decider& decider_;
  const MemberHealth& health_;
  Connector& connector_;
  const BundleCache& cache_;
  RecentLosses losses_;
  RoundTrips round_trips_;
};

}  // namespace px::shim
