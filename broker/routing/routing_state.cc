// SPDX-License-Identifier: MIT
#include "broker/routing/routing_state.h"

#include <netinet/in.h>

#include <algorithm>
#include <iterator>

#include "broker/host/own_routing.h"
#include "broker/routing/port_rules.h"

namespace px::broker {
namespace {

using bundle::Address;

constexpr std::uint32_t kGuardMetric = UINT32_MAX;
OwnRoute default_route(bool ipv4, std::uint32_t table) {
  OwnRoute route;
  route.ipv4 = ipv4;
  route.table = table;
  route.destination = ipv4 ? bundle::ipv4_address(0) : Address{};
  route.length = ipv4 ? kernel::kIpv4PrefixOffset : 0;
  return route;
}

// The networks whose addresses are neighbours on the interface, as the main table has them.
std::vector<kernel::Prefix> connected_networks(const kernel::State& kernel, bool ipv4,
                                               std::uint32_t interface_index) {
  std::vector<kernel::Prefix> networks;
  for (const kernel::Route& route : kernel.routes) {
    const bool connected = route.ipv4 == ipv4 && route.table == kernel::kMainTable &&
                           route.kind == kernel::RouteKind::kUnicast && !route.is_default() &&
                           route.next_hops.size() == 1 && !route.next_hops.front().gateway &&
                           route.next_hops.front().interface_index == interface_index;
    if (connected) networks.push_back(route.destination);
  }
  return networks;
}

bool contains(const std::vector<kernel::Prefix>& networks, const Address& address) {
  return std::any_of(networks.begin(), networks.end(), [&](const kernel::Prefix& network) {
    return bundle::common_prefix_length(network.base, address) >= network.length;
  });
}

void add_table(RoutingState& state, bool ipv4, std::uint32_t table,
               const std::optional<TableRoute>& leading, const kernel::State& kernel) {
  state.routes.insert(table_guard(ipv4, table));
  if (!leading || leading->interface_index == 0) return;
  OwnRoute route = default_route(ipv4, table);
  route.metric = kRouteMetric;
  route.interface_index = leading->interface_index;
  route.next_hop = leading->next_hop;
  route.onlink =
      leading->next_hop && needs_onlink(kernel, ipv4, leading->interface_index, *leading->next_hop);
  state.routes.insert(route);
  if (!leading->with_connected) return;
  for (const kernel::Prefix& network : connected_networks(kernel, ipv4, leading->interface_index)) {
    OwnRoute neighbours = route;
    neighbours.destination = network.base;
    neighbours.length = network.length;
    neighbours.next_hop = std::nullopt;
    neighbours.onlink = false;
    state.routes.insert(neighbours);
  }
}

// Empty where it is gone.
std::string name_of(const kernel::State& kernel, std::uint32_t interface_index) {
  for (const kernel::Link& link : kernel.links) {
    if (link.index == interface_index) return link.name;
  }
  return {};
}

OwnRoute own_route(const kernel::Route& route) {
  OwnRoute own;
  own.ipv4 = route.ipv4;
  own.table = route.table;
  own.destination = route.destination.base;
  own.length = route.destination.length;
  own.metric = route.metric;
  if (route.kind == kernel::RouteKind::kUnicast && !route.next_hops.empty()) {
    own.interface_index = route.next_hops.front().interface_index;
    own.next_hop = route.next_hops.front().gateway;
    own.onlink = route.next_hops.front().onlink;
    own.source = route.preferred_source;
  }
  return own;
}

OwnRule own_rule(const kernel::Rule& rule) {
  OwnRule own{rule.ipv4, rule.priority, rule.mark, rule.mark_mask, rule.invert, std::nullopt};
  if (rule.action == kernel::RuleAction::kTable) own.table = rule.table;
  own.interface = rule.output_interface;
  if (rule.ip_protocol == IPPROTO_SCTP) own.sctp_port = rule.source_port;
  if (rule.destination) own.destination = rule.destination->base;
  if (rule.goto_priority != 0) own.action = OwnAction::kGoBehind;
  own.go_to = rule.goto_priority;
  if (rule.action == kernel::RuleAction::kNothing && rule.goto_priority == 0) {
    own.action = OwnAction::kNothing;
  }
  return own;
}

void lower(RoutingState& state, std::uint32_t by) {
  std::set<OwnRule> lowered;
  for (OwnRule rule : state.rules) {
    rule.priority -= by;
    if (rule.action == OwnAction::kGoBehind) rule.go_to = kBehindPriority - by;
    lowered.insert(rule);
  }
  state.rules = std::move(lowered);
}

template <typename Value>
std::vector<Value> missing_in(const std::set<Value>& some, const std::set<Value>& all) {
  std::vector<Value> missing;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(),
                      std::back_inserter(missing));
  return missing;
}

std::set<std::string> marked_keys(const RoutingDemand& demand) {
  std::set<std::string> keys;
  for (const RoutingTable& table : demand.tables) keys.insert(table.key);
  for (const auto& [interface, key] : demand.received) keys.insert(key);
  if (!demand.received.empty()) keys.insert(kReceivedKey);
  return keys;
}

}  // namespace

OwnRoute table_guard(bool ipv4, std::uint32_t table) {
  OwnRoute guard = default_route(ipv4, table);
  guard.metric = kGuardMetric;
  return guard;
}

bool needs_onlink(const kernel::State& kernel, bool ipv4, std::uint32_t interface_index,
                  const Address& next_hop) {
  return (ipv4 || !next_hop.is_link_local()) &&
         !contains(connected_networks(kernel, ipv4, interface_index), next_hop);
}

OwnRule behind() {
  OwnRule rule;
  rule.priority = kBehindPriority;
  rule.action = OwnAction::kNothing;
  return rule;
}

std::set<std::string> keys_of(const RoutingDemand& demand) {
  std::set<std::string> keys = marked_keys(demand);
  for (const PortRoute& port : demand.ports) {
    if (port.egress) keys.insert(to_key(*port.egress));
  }
  return keys;
}

std::uint32_t lowered_by(const kernel::State& kernel) {
  std::uint32_t lowest = kBehindPriority + 1;
  for (const kernel::Rule& rule : kernel.rules) {
    if (is_own(rule) || rule.priority == 0 || rule.table == kernel::kLocalTable) continue;
    lowest = std::min(lowest, rule.priority);
  }
  return std::min(kBehindPriority + 1 - lowest, kPeerPriority - 1);
}

RoutingState wanted_state(const RoutingDemand& demand, const MarkAllocator& allocator,
                          std::uint32_t mask, const kernel::State& kernel) {
  RoutingState state;
  const auto add_rule = [&](OwnRule rule) {
    for (const bool ipv4 : {true, false}) {
      rule.ipv4 = ipv4;
      state.rules.insert(rule);
    }
  };
  for (const std::string& key : marked_keys(demand)) {
    const std::uint32_t number = allocator.numbers().at(key);
    OwnRule rule{false, kMarkPriority, mark_of(number, mask), mask, false, kOwnTableBase + number};
    if (key == kReceivedKey) {
      // What is not an answer goes by the host's own rules, wherever its default routes stand.
      rule.table.reset();
      rule.action = OwnAction::kGoBehind;
      add_rule(behind());
    }
    add_rule(rule);
  }
  // What a datagram socket says in control data: for IPv6, naming source and interface is not
  // enough to leave by that interface.
  for (const auto& [index, key] : demand.received) {
    const std::uint32_t mark = mark_of(allocator.numbers().at(kReceivedKey), mask);
    const std::uint32_t table = kOwnTableBase + allocator.numbers().at(key);
    const std::string interface = name_of(kernel, index);
    if (!interface.empty()) {
      add_rule({false, kInterfacePriority, mark, mask, false, table, interface});
    }
  }
  if (!state.rules.empty()) add_rule({false, kGuardPriority, 0, mask, true, std::nullopt});
  for (const RoutingTable& table : demand.tables) {
    const std::uint32_t id = kOwnTableBase + allocator.numbers().at(table.key);
    add_table(state, true, id, table.ipv4, kernel);
    add_table(state, false, id, table.ipv6, kernel);
  }
  add_port_rules(state, demand.ports, allocator, kernel);
  lower(state, lowered_by(kernel));
  return state;
}

RoutingState found_state(const kernel::State& kernel) {
  RoutingState state;
  for (const kernel::Route& route : kernel.routes) {
    if (is_own(route)) state.routes.insert(own_route(route));
  }
  for (const kernel::Rule& rule : kernel.rules) {
    if (is_own(rule)) state.rules.insert(own_rule(rule));
  }
  return state;
}

RoutingChanges changes_between(const RoutingState& found, const RoutingState& wanted) {
  RoutingChanges changes{
      missing_in(found.routes, wanted.routes), missing_in(found.rules, wanted.rules),
      missing_in(wanted.rules, found.rules), missing_in(wanted.routes, found.routes)};
  // The guards of tables first, then neighbours before what is reached through them; what rules go
  // on from and the guard of the marks before any mark, and after them when they go.
  const auto unreachable_first = [](const OwnRoute& a, const OwnRoute& b) {
    return std::pair(!a.unreachable(), a.next_hop.has_value()) <
           std::pair(!b.unreachable(), b.next_hop.has_value());
  };
  const auto guard_first = [](const OwnRule& a, const OwnRule& b) {
    const auto late = [](const OwnRule& rule) {
      return std::pair(rule.action != OwnAction::kNothing, !rule.inverted);
    };
    return late(a) < late(b);
  };
  std::stable_sort(changes.added_routes.begin(), changes.added_routes.end(), unreachable_first);
  std::stable_sort(changes.added_rules.begin(), changes.added_rules.end(), guard_first);
  std::stable_sort(changes.removed_rules.rbegin(), changes.removed_rules.rend(), guard_first);
  std::stable_sort(changes.removed_routes.rbegin(), changes.removed_routes.rend(),
                   unreachable_first);
  return changes;
}

}  // namespace px::broker
