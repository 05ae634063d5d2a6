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
  // Whether its route is found without a source.
  bool default_is_for_all_sources = true;
  std::optional<Address> preferred_source;  // named by the route of the default next hop
};

class NextHops {
 public:
  // `reach` must outlive it.
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
    bool specific;  // of a route that is not a default one, too
  };
  // The first default route of a table by this interface.
  struct First {
    std::pair<std::uint32_t, unsigned> rank;  // metric, router
    std::optional<Address> next_hop;
    bool shared = false;  // with an equal one by another router
  };
  struct Interface {
    std::map<std::optional<Address>, Use> uses;  // the best one of each next hop
    std::map<std::uint32_t, First> firsts;       // by table position
    bool has_networks = false;                   // addresses or device routes
    Ranges neighbours;
    std::set<Address> added;
  };

  void add_router(const kernel::State& state, const AddedRouter& router);
  void add_route(const kernel::Route& route, std::uint32_t table_position);
  static void add_default(Interface& interface, std::uint32_t table_position, const First& route);
  [[nodiscard]] static bool is_sole(const Interface& interface,
                                    const std::optional<Address>& next_hop);
  [[nodiscard]] static bool is_neighbour(const Interface& interface,
                                         const std::optional<Address>& next_hop, const Use& use);

  const Reach& reach_;
  std::map<std::pair<std::uint32_t, bool>, Interface> interfaces_;  // by index and ipv4
};

}  // namespace px::broker
