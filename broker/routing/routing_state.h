// SPDX-License-Identifier: MIT
// px's routes and rules as they should be and as the kernel has them, and what has to be done to
// get from one to the other. Plain values and pure functions; the kernel is read and written
// elsewhere.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/routing/mark_allocator.h"
#include "broker/routing/routing_demand.h"
#include "netlink/kernel_state.h"

namespace px::broker {

// Priorities of px's rules: the peers of SCTP's ports, all others of such a port, listening sockets
// that name an interface, the marks, the guard behind them. Last comes a rule without effect:
// unsteered packets of SCTP's ports, and of listening sockets, go on from there. All of them are
// lower where a rule of the host would decide before (lowered_by()).
inline constexpr std::uint32_t kPeerPriority = 4997;
inline constexpr std::uint32_t kOtherPeersPriority = kPeerPriority + 1;
inline constexpr std::uint32_t kInterfacePriority = kOtherPeersPriority + 1;
inline constexpr std::uint32_t kMarkPriority = kInterfacePriority + 1;
inline constexpr std::uint32_t kGuardPriority = kMarkPriority + 1;
inline constexpr std::uint32_t kBehindPriority = kGuardPriority + 1;

// The prefix length of one address.
inline constexpr unsigned kHostLength = 128;

// A route in one of px's tables. Prefix lengths are of the sixteen-byte form.
struct OwnRoute {
  bool ipv4 = false;
  std::uint32_t table = 0;
  bundle::Address destination;
  unsigned length = 0;
  std::uint32_t metric = 0;
  std::uint32_t interface_index = 0;  // 0: unreachable
  std::optional<bundle::Address> next_hop;
  bool onlink = false;
  std::optional<bundle::Address> source = {};  // that the kernel takes; absent: as it chooses

  [[nodiscard]] bool unreachable() const { return interface_index == 0; }
  friend auto operator<=>(const OwnRoute&, const OwnRoute&) = default;
};

// Packets whose mark, under the mask, is this one (or, inverted, any other), and for which the
// sender named the interface, if the rule does, look in the table; without a table they are
// unreachable. A rule of an SCTP port is about no mark, but about what the host itself sends from
// that port to the destination.
enum class OwnAction : std::uint8_t { kDecide, kGoBehind, kNothing };
struct OwnRule {
  bool ipv4 = false;
  std::uint32_t priority = 0;
  std::uint32_t mark = 0;
  std::uint32_t mask = 0;
  bool inverted = false;
  std::optional<std::uint32_t> table;
  std::string interface = {};                       // empty: whichever
  std::uint16_t sctp_port = 0;                      // local, host byte order; 0: no such rule
  std::optional<bundle::Address> destination = {};  // absent: whichever
  OwnAction action = OwnAction::kDecide;            // or go on behind px's rules,
  std::uint32_t go_to = 0;                          // at this priority; else 0

  friend auto operator<=>(const OwnRule&, const OwnRule&) = default;
};

struct RoutingState {
  std::set<OwnRoute> routes;
  std::set<OwnRule> rules;

  [[nodiscard]] bool empty() const { return routes.empty() && rules.empty(); }
  friend bool operator==(const RoutingState&, const RoutingState&) = default;
};

inline constexpr std::uint32_t kRouteMetric = 1024;

// By how much px's priorities are lower than said above: a rule that selects by source would lead
// marked packets elsewhere. `ip rule add` without a priority, as VPNs add theirs, puts a rule
// before all others, px's included.
[[nodiscard]] std::uint32_t lowered_by(const kernel::State& kernel);
// Where rules that go behind px's go on.
[[nodiscard]] OwnRule behind();
// The last route of each of px's tables.
[[nodiscard]] OwnRoute table_guard(bool ipv4, std::uint32_t table);
// Whether the kernel takes the router for a neighbour only where it is told so.
[[nodiscard]] bool needs_onlink(const kernel::State& kernel, bool ipv4,
                                std::uint32_t interface_index, const bundle::Address& next_hop);

// The keys that need a number: those of tables and of port routes' egresses.
[[nodiscard]] std::set<std::string> keys_of(const RoutingDemand& demand);

// `allocator` has all keys of the demand. Connected networks come from the kernel's main table.
[[nodiscard]] RoutingState wanted_state(const RoutingDemand& demand, const MarkAllocator& allocator,
                                        std::uint32_t mask, const kernel::State& kernel);

// What of it is px's.
[[nodiscard]] RoutingState found_state(const kernel::State& kernel);

// In the order in which they are to be carried out, so that no packet with a mark ever meets a
// table that is not complete, or none at all.
struct RoutingChanges {
  std::vector<OwnRoute> added_routes;
  std::vector<OwnRule> added_rules;
  std::vector<OwnRule> removed_rules;
  std::vector<OwnRoute> removed_routes;
};
[[nodiscard]] RoutingChanges changes_between(const RoutingState& found, const RoutingState& wanted);

}  // namespace px::broker
