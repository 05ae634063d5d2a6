// SPDX-License-Identifier: MIT
#include "broker/services/sctp_paths.h"

#include <algorithm>

#include "broker/routing/sctp_socket.h"
#include "libbundle/connect/sctp_scope.h"
#include "netlink/route_lookup.h"

namespace px::broker {
namespace {

Expected<SctpPath> path_to(const MemberEgress& to, const Snapshot& snapshot) {
  if (!to.entry) {
    PX_ASSIGN_OR_RETURN(const Address source, unsteered_source(to.member));
    return SctpPath{to.member, {source, 0, to.member.scope}, std::nullopt};
  }
  const auto& entries = snapshot.entries;
  const auto entry = std::ranges::find_if(entries, [&](const Entry& each) {
    return each.number == to.entry->number && each.source == to.entry->source &&
           each.interface_index == to.entry->interface_index;
  });
  if (entry == entries.end()) return fail("the paths have just changed");
  if (!entry->own_source && !entry->source.is_ipv4()) {
    return fail("over IPv6 a route cannot have the source of another interface");
  }
  Egress egress{entry->interface, entry->source, std::nullopt};
  if (to.entry->mark != 0) {
    egress.next_hop = entry->next_hop;
  } else {
    PX_ASSIGN_OR_RETURN(
        egress.next_hop,
        netlink::look_up_router(to.member.address, entry->interface_index, entry->source));
  }
  const std::uint32_t scope = entry->source.is_scoped() ? entry->interface_index : 0;
  return SctpPath{to.member, {entry->source, 0, scope}, std::move(egress)};
}

// Which of the socket's sources an association has depends on the member that it begins with. A
// path whose own source is not among them would take another path's.
bool keeps_sources(const std::vector<SctpPath>& paths) {
  for (const bool ipv4 : {true, false}) {
    auto narrowest = bundle::SctpScope::kGlobal;
    auto widest = bundle::SctpScope::kLoopback;
    for (const SctpPath& path : paths) {
      if (path.source.address.is_ipv4() != ipv4) continue;
      narrowest = std::min(narrowest, bundle::sctp_scope(path.source.address));
      widest = std::max(widest, bundle::sctp_scope(path.source.address));
    }
    const bool all_narrow = std::ranges::all_of(paths, [&](const SctpPath& path) {
      return bundle::sctp_scope(path.member.address) <= narrowest;
    });
    if (narrowest < widest && !all_narrow) return false;
  }
  return true;
}

}  // namespace

Expected<std::vector<SctpPath>> sctp_paths(const std::vector<MemberEgress>& members,
                                           const Snapshot& snapshot) {
  std::vector<SctpPath> paths;
  for (const MemberEgress& member : members) {
    PX_ASSIGN_OR_RETURN(SctpPath path, path_to(member, snapshot));
    paths.push_back(std::move(path));
  }
  const auto is_steered = [](const SctpPath& path) { return path.egress.has_value(); };
  if (std::ranges::none_of(paths, is_steered))
    return fail("all of them go as the host routes them");
  if (!keeps_sources(paths)) {
    return fail("an association to these members would leave out some of its own addresses");
  }
  return paths;
}

std::vector<PortRoute> port_routes(std::uint16_t port, const std::vector<SctpPath>& paths) {
  std::vector<PortRoute> routes{{port, std::nullopt, std::nullopt, true}};
  for (const SctpPath& path : paths) routes.push_back({port, path.member.address, path.egress});
  return routes;
}

}  // namespace px::broker
