// SPDX-License-Identifier: MIT
// Ways of SCTP's paths (PB-4, PX-4): a program's socket is bound to the sources of all of them, and
// routing rules of its port send what leaves for each member by that member's own.
#include <net/if.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "broker/daemon/daemon.h"
#include "broker/publish/routing_needs.h"
#include "broker/routing/sctp_socket.h"
#include "libbundle/connect/sctp_scope.h"
#include "netlink/route_lookup.h"

namespace px::broker {
namespace {

using namespace std::chrono_literals;
using bundle::Endpoint;

constexpr auto kUnusedInterval = 2s;

struct Path {
  Endpoint member;
  Endpoint source;
  std::optional<Egress> way;  // absent: the system's
};

Rejection no_paths(const px::Error& error) {
  return {plan::RefusalCode::kNoExtraPaths, error.message};
}

Expected<Path> path_of(const MemberEgress& way, const Snapshot& snapshot) {
  if (!way.entry) {
    const auto source = unsteered_source(way.member);
    if (!source) return tl::make_unexpected(source.error());
    return Path{way.member, {*source, 0, way.member.scope}, std::nullopt};
  }
  const auto& entries = snapshot.entries;
  const auto entry = std::ranges::find_if(entries, [&](const Entry& each) {
    return each.number == way.entry->number && each.source == way.entry->source &&
           each.interface_index == way.entry->interface_index;
  });
  if (entry == entries.end()) return fail("the paths have just changed");
  if (!entry->own_source && !entry->source.is_ipv4()) {
    return fail("over IPv6 a route cannot have the source of another interface");
  }
  Egress found{entry->interface, entry->source, std::nullopt};
  if (way.entry->mark != 0) {
    found.next_hop = entry->next_hop;
  } else {
    const auto router =
        netlink::look_up_router(way.member.address, entry->interface_index, entry->source);
    if (!router) return tl::make_unexpected(router.error());
    found.next_hop = *router;
  }
  const std::uint32_t scope = entry->source.is_scoped() ? entry->interface_index : 0;
  return Path{way.member, {entry->source, 0, scope}, std::move(found)};
}

// Which of the socket's sources an association has depends on the member that it begins with; a
// path whose own source is not among them would take another one's.
bool keeps_sources(const std::vector<Path>& paths) {
  for (const bool ipv4 : {true, false}) {
    auto narrowest = bundle::SctpScope::kGlobal;
    auto widest = bundle::SctpScope::kLoopback;
    for (const Path& path : paths) {
      if (path.source.address.is_ipv4() != ipv4) continue;
      narrowest = std::min(narrowest, bundle::sctp_scope(path.source.address));
      widest = std::max(widest, bundle::sctp_scope(path.source.address));
    }
    const bool all_narrow = std::ranges::all_of(paths, [&](const Path& path) {
      return bundle::sctp_scope(path.member.address) <= narrowest;
    });
    if (narrowest < widest && !all_narrow) return false;
  }
  return true;
}

// All or nothing: a program takes what it has asked for as granted.
Expected<std::vector<Path>> paths_of(const std::vector<MemberEgress>& ways,
                                     const Snapshot& snapshot) {
  std::vector<Path> paths;
  for (const MemberEgress& way : ways) {
    auto path = path_of(way, snapshot);
    if (!path) return tl::make_unexpected(path.error());
    paths.push_back(std::move(*path));
  }
  const bool any =
      std::ranges::any_of(paths, [](const Path& path) { return path.way.has_value(); });
  if (!any) return fail("all of them go the system's way");
  if (!keeps_sources(paths)) {
    return fail("an association to these members would leave out some of its own addresses");
  }
  return paths;
}

// What nobody has asked about gets nothing: the peer itself tells of further addresses.
std::vector<PortRoute> ways_from(std::uint16_t port, const std::vector<Path>& paths) {
  std::vector<PortRoute> ways{{port, std::nullopt, std::nullopt, true}};
  for (const Path& path : paths) ways.push_back({port, path.member.address, path.way});
  return ways;
}

}  // namespace

RoutingDemand Daemon::demand(const Policy& policy, const Snapshot& snapshot) const {
  RoutingDemand demand = demand_of(policy, snapshot);
  demand.ports = port_routes_.all();
  return demand;
}

Expected<void> Daemon::renew_port_ways() {
  const auto marks = routing_->prepare(demand(policy_, snapshot_), policy_.mark_mask);
  if (!marks) return tl::make_unexpected(marks.error());
  return routing_->retire();
}

// The broker itself binds the socket, so that the port is one which nobody else has: what the rules
// say of it then is about this socket alone.
tl::expected<void, Rejection> Daemon::give_routes(uid_t user,
                                                  const std::vector<MemberEgress>& members,
                                                  const Fd& socket) {
  const auto refused = [](const px::Error& error) { return tl::make_unexpected(no_paths(error)); };
  if (const auto available = routing_->available(); !available) return refused(available.error());
  if (chooses_port(socket.get())) return refused({"the program chooses the socket's port itself"});
  const auto paths = paths_of(members, snapshot_);
  if (!paths) return refused(paths.error());
  const auto bound = bind_source(socket.get(), paths->front().source);
  const std::uint16_t port = port_of(socket.get());
  if (!bound && !port_routes_.belongs_to(port, user)) return refused(bound.error());
  const PortRoutes before = port_routes_;
  if (bound) port_routes_.forget(port);  // somebody had it who has just ended
  auto given = port_routes_.add(user, ways_from(port, *paths));
  if (given && !(port_routes_ == before)) given = renew_port_ways();
  if (!given) {
    port_routes_ = before;
    return refused(given.error());
  }
  watch_ports();
  for (const Path& path : *paths) {
    const auto further = bind_further_source(socket.get(), path.source);
    if (!further) return refused(further.error());
  }
  return {};
}

Expected<void> Daemon::take_over_ports() {
  const auto left = routing_->ports_left();
  if (!left) return tl::make_unexpected(left.error());
  port_routes_.take_over(*left);
  forget_unused_ports();
  watch_ports();
  return {};
}

bool Daemon::forget_unused_ports() {
  if (port_routes_.empty()) return false;
  const SctpPorts ports = SctpPorts::read();
  return port_routes_.forget_unused([&](std::uint16_t port, const std::vector<Egress>& ways) {
    std::vector<Endpoint> sources;
    for (const Egress& way : ways) {
      const std::uint32_t scope =
          way.source.is_scoped() ? if_nametoindex(way.interface.c_str()) : 0;
      sources.push_back({way.source, 0, scope});
    }
    return ports.in_use(port, sources);
  });
}

void Daemon::watch_ports() {
  if (watches_ports_ || port_routes_.empty()) return;
  watches_ports_ = true;
  unused_ports_.expires_after(kUnusedInterval);
  unused_ports_.async_wait([this](const std::error_code& error) {
    if (error) return;
    watches_ports_ = false;
    if (forget_unused_ports()) {
      if (const auto renewed = renew_port_ways(); !renewed) {
        spdlog::error("routing rules of SCTP ports that are not in use are left: {}",
                      renewed.error().message);
      }
    }
    watch_ports();
  });
}

}  // namespace px::broker
