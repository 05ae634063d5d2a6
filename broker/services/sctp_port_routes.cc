// SPDX-License-Identifier: MIT
#include "broker/services/sctp_port_routes.h"

#include <net/if.h>

#include <utility>

#include "broker/publish/routing_needs.h"
#include "broker/routing/routing.h"

namespace px::broker {

SctpPortRoutes::SctpPortRoutes(asio::io_context& context, const InForce& in_force, Routing& routing,
                               SctpPortOptions options)
    : in_force_(in_force), routing_(routing), options_(std::move(options)), timer_(context) {}

RoutingDemand SctpPortRoutes::demand(const Policy& policy, const Snapshot& snapshot) const {
  RoutingDemand demand = demand_of(policy, snapshot);
  demand.ports = routes_.all();
  return demand;
}

Expected<void> SctpPortRoutes::renew() {
  const Policy& policy = in_force_.policy;
  PX_TRY(routing_.prepare(demand(policy, in_force_.snapshot), policy.mark_mask));
  return routing_.retire();
}

Expected<std::vector<SctpPath>> SctpPortRoutes::paths_to(
    const std::vector<MemberEgress>& members) const {
  return sctp_paths(members, in_force_.snapshot);
}

Expected<void> SctpPortRoutes::give(uid_t user, const std::vector<SctpPath>& paths,
                                    const Binding& binding, const std::string& why_not) {
  const auto& [bound, port] = binding;
  if (!bound && !routes_.belongs_to(port, user)) return fail(why_not);
  const PortRoutes before = routes_;
  if (bound) routes_.forget(port);  // of a socket that has just been closed
  auto given = routes_.add(user, port_routes(port, paths));
  if (given && !(routes_ == before)) given = renew();
  if (!given) {
    routes_ = before;
    return given;
  }
  watch();
  return {};
}

void SctpPortRoutes::take_over(const std::vector<PortRoute>& left) {
  routes_.take_over(left);
  forget_unused();
  watch();
}

// Whether there were any.
bool SctpPortRoutes::forget_unused() {
  if (routes_.empty()) return false;
  const SctpPorts ports = options_.read_ports();
  return routes_.forget_unused([&](std::uint16_t port, const std::vector<Egress>& egresses) {
    std::vector<bundle::Endpoint> sources;
    for (const Egress& egress : egresses) {
      const bool scoped = egress.source.is_scoped();
      sources.push_back({egress.source, 0, scoped ? if_nametoindex(egress.interface.c_str()) : 0});
    }
    return ports.in_use(port, sources);
  });
}

void SctpPortRoutes::watch() {
  if (watching_ || routes_.empty()) return;
  watching_ = true;
  timer_.after(options_.interval, [this] {
    watching_ = false;
    if (forget_unused()) {
      if (const auto renewed = renew(); !renewed) options_.failed(renewed.error());
    }
    watch();
  });
}

}  // namespace px::broker
