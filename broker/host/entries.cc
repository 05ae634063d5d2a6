// SPDX-License-Identifier: MIT
#include "broker/host/entries.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "broker/host/next_hops.h"
#include "broker/host/range_set.h"
#include "broker/host/reach.h"
#include "broker/host/sources.h"

namespace px::broker {
namespace {

using kernel::kIpv4PrefixOffset;

plan::Range ipv4_range(std::uint32_t base, unsigned prefix_length) {
  return network_range(bundle::ipv4_address(base), kIpv4PrefixOffset + prefix_length);
}

plan::Range ipv6_range(std::uint8_t first, std::uint8_t second, unsigned prefix_length) {
  Address base;
  base.bytes[0] = first;
  base.bytes[1] = second;
  return network_range(base, prefix_length);
}

plan::Range range_of(const kernel::Route& route) {
  return network_range(route.destination.base, route.destination.length);
}

// IPv6 routes as short as to cover the v4-mapped addresses do not mean them.
Ranges join_families(Ranges ipv4, Ranges ipv6) {
  const Ranges mapped{ipv4_range(0, 0)};
  return unite(merge(std::move(ipv4)), subtract(merge(std::move(ipv6)), mapped));
}

Ranges own_of(const kernel::State& state) {
  Address loopback;
  loopback.bytes[15] = 1;
  Ranges own[2] = {{{loopback, loopback}}, {ipv4_range(0x7f000000, 8)}};
  for (const kernel::InterfaceAddress& address : state.addresses) {
    own[address.ipv4].push_back({address.address, address.address});
  }
  // Whole networks can be the host's own (`ip route add local`).
  for (const kernel::Route& route : state.routes) {
    if (route.kind == kernel::RouteKind::kLocal && route.table == kernel::kLocalTable) {
      own[route.ipv4].push_back(range_of(route));
    }
  }
  return join_families(std::move(own[true]), std::move(own[false]));
}

// Device routes that say who the neighbours are, not ones by which somebody routes into a tunnel:
// the kernel's own, and those of router advertisements and DHCP clients.
bool describes_link(const kernel::Route& route) {
  return route.kind == kernel::RouteKind::kUnicast && route.table == kernel::kMainTable &&
         !route.is_default() &&
         (route.protocol == kernel::kKernelProtocol ||
          route.protocol == kernel::kRouterAdvertisementProtocol ||
          route.protocol == kernel::kDhcpProtocol);
}

Ranges on_link_of(const kernel::State& state) {
  std::unordered_set<std::uint32_t> up;
  for (const kernel::Link& link : state.links) {
    if (link.up && !link.loopback) up.insert(link.index);
  }
  Ranges on_link[2] = {
      {ipv6_range(0xfe, 0x80, 10), ipv6_range(0xff, 0x01, 16), ipv6_range(0xff, 0x02, 16)},
      {ipv4_range(0xa9fe0000, 16), ipv4_range(0xe0000000, 24), ipv4_range(0xffffffff, 32)}};
  for (const kernel::Route& route : state.routes) {
    if (!describes_link(route)) continue;
    const bool direct = std::any_of(route.next_hops.begin(), route.next_hops.end(),
                                    [&](const kernel::NextHop& hop) {
                                      return !hop.gateway && up.contains(hop.interface_index);
                                    });
    if (direct) on_link[route.ipv4].push_back(range_of(route));
  }
  return join_families(std::move(on_link[true]), std::move(on_link[false]));
}

std::vector<LinkNetwork> networks_of(const kernel::State& state,
                                     const std::vector<const kernel::Link*>& links) {
  std::vector<LinkNetwork> networks;
  for (const kernel::Link* link : links) {
    for (const kernel::InterfaceAddress& address : state.addresses) {
      if (address.interface_index != link->index || address.network.length == 128) continue;
      const unsigned length = address.network.length;
      LinkNetwork network{link->name, network_range(address.network.base, length).low, length};
      if (std::find(networks.begin(), networks.end(), network) == networks.end()) {
        networks.push_back(std::move(network));
      }
    }
  }
  return networks;
}

// All entries of one interface in one family.
class InterfaceEntries {
 public:
  InterfaceEntries(const kernel::Link& link, bool ipv4, const NextHops& next_hops,
                   const Sources& sources)
      : link_(link), ipv4_(ipv4), hops_(next_hops.of(link.index, ipv4)), sources_(sources) {}

  void append_to(std::vector<Entry>& entries, Reach& reach) const {
    if (hops_.next_hops.empty()) return;
    const Ranges reached_unbound = reach.list(reach.find(link_, ipv4_, std::nullopt));
    for (const auto& next_hop : hops_.next_hops) {
      const auto kernel_source = kernel_source_through(next_hop);
      for (const Source& source : sources_.of_family(ipv4_)) {
        Entry entry = make(next_hop, source);
        entry.number = static_cast<std::uint32_t>(entries.size() + 1);
        entry.kernel_source = source.address == kernel_source;
        entry.reach = reach.find(link_, ipv4_, source.address);
        entry.interface_reach =
            same_as(entry.reach, reach.find(link_, ipv4_, kernel_source), reach);
        entry.mark_leads_further =
            next_hop && entry.certain && link_.up && !reach.decides_all(entry.reach);
        entry.routed_by_source =
            !ipv4_ && !subtract(reach.list(entry.reach), reached_unbound).empty();
        entries.push_back(std::move(entry));
      }
    }
  }

 private:
  // Of two lists the first, if both have the same: other rules may lead to it.
  static std::uint32_t same_as(std::uint32_t known, std::uint32_t index, const Reach& reach) {
    return known == index || reach.list(known) == reach.list(index) ? known : index;
  }

  // A route that is found by its source alone does not say which source that is: the kernel takes
  // the interface's own, as without a route.
  [[nodiscard]] std::optional<Address> kernel_source_through(
      const std::optional<Address>& next_hop) const {
    const bool by_itself = hops_.default_next_hop == next_hop;
    InterfaceHops hops = by_itself ? hops_ : through(next_hop);
    if (!hops.default_is_for_all_sources) hops = {};
    return sources_.kernel_choice(link_.index, ipv4_, hops);
  }

  // As in a table that has this next hop alone.
  static InterfaceHops through(const std::optional<Address>& next_hop) {
    InterfaceHops hops;
    hops.default_next_hop.emplace(next_hop);
    return hops;
  }

  [[nodiscard]] Entry make(const std::optional<Address>& next_hop, const Source& source) const {
    Entry entry;
    entry.interface_index = link_.index;
    entry.interface = link_.name;
    entry.next_hop = next_hop;
    entry.source = source.address;
    entry.own_source = std::find(source.interfaces.begin(), source.interfaces.end(), link_.index) !=
                       source.interfaces.end();
    entry.default_next_hop = hops_.default_next_hop && *hops_.default_next_hop == next_hop;
    entry.certain = entry.default_next_hop && hops_.default_is_certain;
    entry.needs_mark = next_hop && !entry.certain;
    entry.link_up = link_.up;
    entry.source_valid = source.valid;
    entry.source_deprecated = source.deprecated;
    return entry;
  }

  const kernel::Link& link_;
  bool ipv4_;
  InterfaceHops hops_;
  const Sources& sources_;
};

}  // namespace

Snapshot snapshot_of(const kernel::State& state, const std::vector<AddedRouter>& added) {
  Reach reach(state);
  const NextHops next_hops(state, reach, added);
  const Sources sources(state);
  std::vector<const kernel::Link*> links;
  for (const kernel::Link& link : state.links) {
    if (!link.loopback) links.push_back(&link);
  }
  std::sort(links.begin(), links.end(),
            [](const kernel::Link* a, const kernel::Link* b) { return a->index < b->index; });
  Snapshot snapshot;
  for (const kernel::Link* link : links) {
    for (const bool ipv4 : {true, false}) {
      InterfaceEntries(*link, ipv4, next_hops, sources).append_to(snapshot.entries, reach);
    }
  }
  snapshot.own = own_of(state);
  snapshot.on_link = on_link_of(state);
  snapshot.reach = reach.take_lists();
  snapshot.networks = networks_of(state, links);
  return snapshot;
}

}  // namespace px::broker
