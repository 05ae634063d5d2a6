// SPDX-License-Identifier: MIT
#include "broker/routing/kernel_writer.h"

#include <netinet/in.h>

#include <cerrno>
#include <string>

#include "broker/host/own_routing.h"
#include "netlink/route_changes.h"

namespace px::broker {
namespace {

kernel::Route route_of(const OwnRoute& own) {
  kernel::Route route;
  route.kind = own.unreachable() ? kernel::RouteKind::kDeny : kernel::RouteKind::kUnicast;
  route.ipv4 = own.ipv4;
  route.destination = {own.destination, own.length};
  route.table = own.table;
  route.metric = own.metric;
  route.protocol = kOwnProtocol;
  route.preferred_source = own.source;
  if (!own.unreachable()) {
    route.next_hops = {{own.interface_index, own.next_hop, own.onlink, true}};
  }
  return route;
}

kernel::RuleAction action_of(const OwnRule& own) {
  if (own.action == OwnAction::kGoBehind) return kernel::RuleAction::kGoto;
  if (own.action == OwnAction::kNothing) return kernel::RuleAction::kNothing;
  return own.table ? kernel::RuleAction::kTable : kernel::RuleAction::kDeny;
}

kernel::Rule rule_of(const OwnRule& own) {
  kernel::Rule rule;
  rule.ipv4 = own.ipv4;
  rule.protocol = kOwnProtocol;
  rule.priority = own.priority;
  rule.action = action_of(own);
  rule.table = own.table.value_or(0);
  rule.goto_priority = own.go_to;
  rule.invert = own.inverted;
  rule.output_interface = own.interface;
  if (own.destination) rule.destination = {*own.destination, kHostLength};
  if (own.sctp_port != 0) {
    // What others send through this host may be from the same port.
    rule.input_interface = "lo";
    rule.ip_protocol = IPPROTO_SCTP;
    rule.source_port = own.sctp_port;
  } else {
    rule.mark = own.mark;
    rule.mark_mask = own.mask;
  }
  return rule;
}

bool cannot_be_taken(int error) {
  return error == ENETDOWN || error == ENETUNREACH || error == EHOSTUNREACH || error == ENODEV ||
         error == EINVAL || error == EACCES;
}

bool is_family_missing(int error) {
  return error == EAFNOSUPPORT || error == EOPNOTSUPP;
}

bool is_gone(int error) {
  return error == ESRCH || error == ENOENT;
}

}  // namespace

Expected<KernelWriter> KernelWriter::open() {
  PX_ASSIGN_OR_RETURN(auto socket, netlink::RequestSocket::open(netlink::Protocol::kRoute));
  return KernelWriter(std::move(socket));
}

Expected<void> KernelWriter::may_write() {
  OwnRoute nothing;  // the table of no mark, always empty
  nothing.ipv4 = true;
  nothing.length = kernel::kIpv4PrefixOffset;
  nothing.table = kOwnTableBase;
  const int error = netlink::remove_route(socket_, route_of(nothing));
  if (error == 0 || is_gone(error)) return {};
  return fail_errno("the kernel does not let the broker change routes", error);
}

Expected<void> KernelWriter::add(const RoutingChanges& changes) {
  for (const OwnRoute& route : changes.added_routes) {
    const int error = netlink::add_route(socket_, route_of(route));
    if (error == 0 || error == EEXIST || is_family_missing(error)) continue;
    if (cannot_be_taken(error)) continue;
    return fail_errno("cannot add a route to table " + std::to_string(route.table), error);
  }
  for (const OwnRule& rule : changes.added_rules) {
    const int error = netlink::add_rule(socket_, rule_of(rule));
    if (error == 0 || error == EEXIST || is_family_missing(error)) continue;
    return fail_errno("cannot add a routing rule", error);
  }
  return {};
}

Expected<void> KernelWriter::remove(const RoutingChanges& changes) {
  for (const OwnRule& rule : changes.removed_rules) {
    const int error = netlink::remove_rule(socket_, rule_of(rule));
    if (error == 0 || is_gone(error)) continue;
    return fail_errno("cannot remove a routing rule", error);
  }
  for (const OwnRoute& route : changes.removed_routes) {
    const int error = netlink::remove_route(socket_, route_of(route));
    if (error == 0 || is_gone(error)) continue;
    return fail_errno("cannot remove a route of table " + std::to_string(route.table), error);
  }
  return {};
}

}  // namespace px::broker
