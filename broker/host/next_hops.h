// SPDX-License-Identifier: MIT
// The routers that the host's routes name on each interface, and which of them the kernel takes
// there by itself. Made once from a kernel state, then only read.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "broker/host/added_router.h"
#include "broker/host/reach.h"
#include "netlink/kernel_state.h"

namespace px::broker {

// The next hops of one interface in one family.
struct InterfaceHops {
  std::vector<std::optional<Address>> next_hops;  // sorted; absent: none is needed (tunnels)
  // For what no more specific route covers. Absent where no router is on the interface's own
  // network, and so none could be reached.
  std::optional<std::optional<Address>> default_next_hop;
  // Whether nothing that leaves by this interface takes another one.
  bool default_is_certain = false;
  std::optional<Address> preferred_source;  // named by the route of the default next hop
};

class NextHops {
 public:
  NextHops(const kernel::State& state, const Reach& reach,
           const std::vector<AddedRouter>& added = {});

  // Without any route or address on the interface: no next hops.
  [[nodiscard]] InterfaceHops of(std::uint32_t interface_index, bool ipv4) const;

 private:
  // Smaller is preferred: less specific, earlier table, lower metric, better router.
  using Rank = std::tuple<unsigned, std::uint32_t, std::uint32_t, unsigned>;
  struct Use {
    Rank rank;
    bool onlink;
    std::optional<Address> preferred_source;
    bool specific;             // of a route that is not a default one, too
    std::uint32_t last_table;  // the latest table position that it stands in
  };
  struct Interface {
    std::map<std::optional<Address>, Use> uses;  // the best one of each next hop
    bool has_networks = false;                   // addresses or device routes
    Ranges neighbours;
    std::set<Address> added;
  };

  void add_router(const kernel::State& state, const AddedRouter& router);
  void add_route(const kernel::Route& route, std::uint32_t table_position);
  [[nodiscard]] static bool is_sole(const Interface& interface, const Use& best);
  [[nodiscard]] static bool is_neighbour(const Interface& interface,
                                         const std::optional<Address>& next_hop, const Use& use);

  std::map<std::pair<std::uint32_t, bool>, Interface> interfaces_;  // by index and ipv4
};

}  // namespace px::broker
