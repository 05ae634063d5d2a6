// SPDX-License-Identifier: MIT
#include "broker/paths/next_hops.h"

#include "broker/paths/range_set.h"
#include "broker/paths/sources.h"

namespace px::broker {
namespace {

// IPv6 link-local and multicast routes stand on every interface and lead nowhere.
bool leads_nowhere(const kernel::Route& route) {
  const Address& base = route.destination.base;
  return !route.is_default() && !route.ipv4 && (base.is_link_local() || base.bytes[0] == 0xff);
}

}  // namespace

NextHops::NextHops(const kernel::State& state, const Reach& reach) {
  for (const kernel::Route& route : state.routes) {
    if (route.kind != kernel::RouteKind::kUnicast || leads_nowhere(route)) continue;
    if (const auto position = reach.table_position(route.table, route.ipv4)) {
      add_route(route, *position);
    }
  }
  for (const kernel::InterfaceAddress& address : state.addresses) {
    if (!can_be_source(address)) continue;
    Interface& interface = interfaces_[{address.interface_index, address.ipv4}];
    interface.has_networks = true;
    interface.neighbours.push_back(network_range(address.network.base, address.network.length));
  }
  for (auto& [key, interface] : interfaces_) {
    interface.neighbours = merge(std::move(interface.neighbours));
  }
}

void NextHops::add_route(const kernel::Route& route, std::uint32_t table_position) {
  const Rank rank{route.destination.length, table_position, route.metric, route.router_rank};
  for (const kernel::NextHop& hop : route.next_hops) {
    Interface& interface = interfaces_[{hop.interface_index, route.ipv4}];
    if (!hop.gateway && !route.is_default()) {
      interface.has_networks = true;
      interface.neighbours.push_back(
          network_range(route.destination.base, route.destination.length));
      continue;
    }
    const Use use{rank, hop.onlink, route.preferred_source};
    const auto [known, is_new] = interface.uses.try_emplace(hop.gateway, use);
    if (!is_new && rank < known->second.rank) known->second = use;
  }
}

bool NextHops::is_neighbour(const Interface& interface, const std::optional<Address>& next_hop,
                            const Use& use) {
  return !next_hop || use.onlink || (!next_hop->is_ipv4() && next_hop->is_link_local()) ||
         contains(interface.neighbours, *next_hop);
}

InterfaceHops NextHops::of(std::uint32_t interface_index, bool ipv4) const {
  const auto found = interfaces_.find({interface_index, ipv4});
  if (found == interfaces_.end()) return {};
  const Interface& interface = found->second;
  InterfaceHops hops;
  if (interface.uses.empty()) {
    if (interface.has_networks) {
      hops.next_hops.push_back(std::nullopt);
      hops.default_next_hop.emplace(std::nullopt);
    }
    return hops;
  }
  const Use* best = nullptr;
  for (const auto& [next_hop, use] : interface.uses) {
    hops.next_hops.push_back(next_hop);
    if (!is_neighbour(interface, next_hop, use)) continue;
    if (best != nullptr && best->rank <= use.rank) continue;
    best = &use;
    hops.default_next_hop.emplace(next_hop);
    hops.preferred_source = use.preferred_source;
  }
  return hops;
}

}  // namespace px::broker
