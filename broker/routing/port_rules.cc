// SPDX-License-Identifier: MIT
#include "broker/routing/port_rules.h"

#include <algorithm>
#include <map>
#include <set>

#include "broker/host/own_routing.h"

namespace px::broker {
namespace {

using bundle::Address;

std::uint32_t index_of(const kernel::State& kernel, const std::string& interface) {
  const auto link = std::find_if(kernel.links.begin(), kernel.links.end(),
                                 [&](const kernel::Link& each) { return each.name == interface; });
  return link == kernel.links.end() ? 0 : link->index;
}

// Nothing where the interface is gone.
std::optional<OwnRoute> route_to(const Address& to, const Egress& egress, std::uint32_t table,
                                 const kernel::State& kernel) {
  OwnRoute route;
  route.ipv4 = to.is_ipv4();
  route.table = table;
  route.destination = to;
  route.length = kHostLength;
  route.metric = kRouteMetric;
  route.interface_index = index_of(kernel, egress.interface);
  route.source = egress.source;
  route.next_hop = egress.next_hop;
  if (route.interface_index == 0) return std::nullopt;
  route.onlink =
      egress.next_hop && needs_onlink(kernel, route.ipv4, route.interface_index, *egress.next_hop);
  return route;
}

// For the families that it is about.
void add_rule(RoutingState& state, OwnRule rule) {
  for (const bool ipv4 : {true, false}) {
    if (rule.destination && rule.destination->is_ipv4() != ipv4) continue;
    rule.ipv4 = ipv4;
    state.rules.insert(rule);
  }
}

}  // namespace

void add_port_rules(RoutingState& state, const std::vector<PortRoute>& ports,
                    const MarkAllocator& allocator, const kernel::State& kernel) {
  if (ports.empty()) return;
  for (const PortRoute& port : ports) {
    OwnRule rule;
    rule.sctp_port = port.port;
    rule.destination = port.destination;
    rule.priority = port.destination ? kPeerPriority : kOtherPeersPriority;
    if (port.egress && port.destination) {
      rule.table = kOwnTableBase + allocator.numbers().at(to_key(*port.egress));
      state.routes.insert(table_guard(port.destination->is_ipv4(), *rule.table));
      if (const auto route = route_to(*port.destination, *port.egress, *rule.table, kernel)) {
        state.routes.insert(*route);
      }
    } else if (!port.unreachable) {
      rule.action = OwnAction::kGoBehind;
      add_rule(state, behind());
    }
    add_rule(state, rule);
  }
}

std::vector<PortRoute> found_ports(const kernel::State& kernel, const MarkAllocator& allocator) {
  std::map<std::uint32_t, Egress> egresses;  // by table
  for (const auto& [key, number] : allocator.numbers()) {
    if (auto egress = egress_from_key(key)) {
      egresses.emplace(kOwnTableBase + number, std::move(*egress));
    }
  }
  std::set<PortRoute> ports;
  std::set<std::uint16_t> unknown;
  for (const OwnRule& rule : found_state(kernel).rules) {
    if (rule.sctp_port == 0) continue;
    PortRoute port{rule.sctp_port, rule.destination, std::nullopt};
    port.unreachable = !rule.table && rule.action == OwnAction::kDecide;
    if (rule.table) {
      const auto egress = egresses.find(*rule.table);
      if (egress == egresses.end()) {
        unknown.insert(rule.sctp_port);
        continue;
      }
      port.egress = egress->second;
    }
    ports.insert(std::move(port));
  }
  std::erase_if(ports, [&](const PortRoute& port) { return unknown.contains(port.port); });
  return {ports.begin(), ports.end()};
}

}  // namespace px::broker
