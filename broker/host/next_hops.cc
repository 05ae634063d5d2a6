// SPDX-License-Identifier: MIT
#include "broker/host/next_hops.h"

#include <algorithm>

#include "broker/host/range_set.h"
#include "broker/host/sources.h"

namespace px::broker {
namespace {

// IPv6 link-local and multicast routes stand on every interface and lead nowhere.
bool leads_nowhere(const kernel::Route& route) {
  const Address& base = route.destination.base;
  return !route.is_default() && !route.ipv4 && (base.is_link_local() || base.bytes[0] == 0xff);
}

}  // namespace

NextHops::NextHops(const kernel::State& state, const Reach& reach,
                   const std::vector<AddedRouter>& added)
    : reach_(reach) {
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
  for (const AddedRouter& router : added) add_router(state, router);
}

void NextHops::add_router(const kernel::State& state, const AddedRouter& router) {
  const Address& address = router.address;
  for (const kernel::Link& link : state.links) {
    if (!router.interface.empty() && router.interface != link.name) continue;
    const auto found = interfaces_.find({link.index, address.is_ipv4()});
    if (found == interfaces_.end()) continue;
    if (address.is_link_local() || contains(found->second.neighbours, address)) {
      found->second.added.insert(address);
    }
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
    if (route.is_default()) {
      add_default(interface, table_position, {{route.metric, route.router_rank}, hop.gateway});
    }
    Use use{rank, hop.onlink, route.preferred_source, !route.is_default()};
    const auto [known, is_new] = interface.uses.try_emplace(hop.gateway, use);
    if (is_new) continue;
    use.specific |= known->second.specific;
    known->second.specific = use.specific;
    if (rank < known->second.rank) known->second = use;
  }
}

bool NextHops::is_neighbour(const Interface& interface, const std::optional<Address>& next_hop,
                            const Use& use) {
  return !next_hop || use.onlink || (!next_hop->is_ipv4() && next_hop->is_link_local()) ||
         contains(interface.neighbours, *next_hop);
}

void NextHops::add_default(Interface& interface, std::uint32_t table_position, const First& route) {
  const auto [place, is_new] = interface.firsts.try_emplace(table_position, route);
  First& first = place->second;
  if (is_new || first.rank < route.rank) return;
  if (route.rank < first.rank) {
    first = route;
  } else if (first.next_hop != route.next_hop) {
    first.shared = true;
  }
}

// Default routes that come later in the same table are not looked at while the first one stands;
// everything else may be: equal ones in turn, more specific ones by destination, the first ones of
// other tables by source.
bool NextHops::is_sole(const Interface& interface, const std::optional<Address>& next_hop) {
  const bool others_specific =
      std::any_of(interface.uses.begin(), interface.uses.end(),
                  [&](const auto& use) { return use.first != next_hop && use.second.specific; });
  return !others_specific &&
         std::all_of(interface.firsts.begin(), interface.firsts.end(), [&](const auto& first) {
           return first.second.next_hop == next_hop && !first.second.shared;
         });
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
      hops.default_is_certain = true;
    }
    hops.next_hops.insert(hops.next_hops.end(), interface.added.begin(), interface.added.end());
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
  hops.default_is_certain = best != nullptr && is_sole(interface, *hops.default_next_hop);
  hops.default_is_for_all_sources =
      best != nullptr && reach_.is_for_all_sources(std::get<1>(best->rank));
  for (const Address& router : interface.added) {
    if (!interface.uses.contains(router)) hops.next_hops.emplace_back(router);
  }
  std::sort(hops.next_hops.begin(), hops.next_hops.end());
  return hops;
}

}  // namespace px::broker
