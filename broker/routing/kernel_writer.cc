// SPDX-License-Identifier: MIT
#include "broker/routing/kernel_writer.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "broker/host/own_routing.h"

namespace px::broker {
namespace {

struct FreeMessage {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};
using Message = std::unique_ptr<nl_msg, FreeMessage>;

void put_address(nl_msg* message, int attribute, const bundle::Address& address, bool ipv4) {
  const std::size_t skip = ipv4 ? address.bytes.size() - 4 : 0;
  nla_put(message, attribute, static_cast<int>(address.bytes.size() - skip),
          address.bytes.data() + skip);
}

unsigned family_length(bool ipv4, unsigned length) {
  return ipv4 ? length - kernel::kIpv4PrefixOffset : length;
}

// A message holds a page, far more than one of these needs: appending does not fail.
Message route_message(int type, int flags, const OwnRoute& route) {
  Message message(nlmsg_alloc_simple(type, flags));
  if (!message) return message;
  rtmsg header{};
  header.rtm_family = route.ipv4 ? AF_INET : AF_INET6;
  header.rtm_dst_len = static_cast<unsigned char>(family_length(route.ipv4, route.length));
  header.rtm_table = RT_TABLE_UNSPEC;
  header.rtm_protocol = kOwnProtocol;
  header.rtm_type = route.unreachable() ? RTN_UNREACHABLE : RTN_UNICAST;
  header.rtm_scope = route.unreachable() || route.next_hop ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  header.rtm_flags = route.onlink ? RTNH_F_ONLINK : 0;
  nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  nla_put_u32(message.get(), RTA_TABLE, route.table);
  nla_put_u32(message.get(), RTA_PRIORITY, route.metric);
  if (header.rtm_dst_len != 0) put_address(message.get(), RTA_DST, route.destination, route.ipv4);
  if (!route.unreachable()) nla_put_u32(message.get(), RTA_OIF, route.interface_index);
  if (route.source) put_address(message.get(), RTA_PREFSRC, *route.source, route.ipv4);
  if (route.next_hop && route.ipv4 && !route.next_hop->is_ipv4()) {
    // A struct rtvia: the family, then the address.
    std::array<std::uint8_t, sizeof(sa_family_t) + sizeof(in6_addr)> via{};
    constexpr sa_family_t kFamily = AF_INET6;
    std::memcpy(via.data(), &kFamily, sizeof kFamily);
    std::memcpy(via.data() + sizeof kFamily, route.next_hop->bytes.data(), sizeof(in6_addr));
    nla_put(message.get(), RTA_VIA, via.size(), via.data());
  } else if (route.next_hop) {
    put_address(message.get(), RTA_GATEWAY, *route.next_hop, route.ipv4);
  }
  return message;
}

// What others send through this host may be from the same port.
void put_port(nl_msg* message, const OwnRule& rule) {
  nla_put_string(message, FRA_IIFNAME, "lo");
  nla_put_u8(message, FRA_IP_PROTO, IPPROTO_SCTP);
  const fib_rule_port_range port{rule.sctp_port, rule.sctp_port};
  nla_put(message, FRA_SPORT_RANGE, sizeof port, &port);
  if (rule.destination) put_address(message, FRA_DST, *rule.destination, rule.ipv4);
}

std::uint8_t action_of(const OwnRule& rule) {
  if (rule.action == OwnAction::kGoBehind) return FR_ACT_GOTO;
  if (rule.action == OwnAction::kNothing) return FR_ACT_NOP;
  return rule.table ? FR_ACT_TO_TBL : FR_ACT_UNREACHABLE;
}

Message rule_message(int type, int flags, const OwnRule& rule) {
  Message message(nlmsg_alloc_simple(type, flags));
  if (!message) return message;
  fib_rule_hdr header{};
  header.family = rule.ipv4 ? AF_INET : AF_INET6;
  header.action = action_of(rule);
  header.flags = rule.inverted ? FIB_RULE_INVERT : 0;
  if (rule.destination) {
    header.dst_len = static_cast<unsigned char>(family_length(rule.ipv4, kHostLength));
  }
  nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  nla_put_u32(message.get(), FRA_PRIORITY, rule.priority);
  nla_put_u8(message.get(), FRA_PROTOCOL, kOwnProtocol);
  if (rule.action == OwnAction::kGoBehind) {
    nla_put_u32(message.get(), FRA_GOTO, kBehindPriority);
  }
  if (rule.sctp_port != 0) {
    put_port(message.get(), rule);
  } else if (rule.action == OwnAction::kDecide) {
    nla_put_u32(message.get(), FRA_FWMARK, rule.mark);
    nla_put_u32(message.get(), FRA_FWMASK, rule.mask);
  }
  if (rule.table) nla_put_u32(message.get(), FRA_TABLE, *rule.table);
  if (!rule.interface.empty()) {
    nla_put_string(message.get(), FRA_OIFNAME, rule.interface.c_str());
  }
  return message;
}

// libnl would turn the kernel's errno into one of its own numbers, several into one.
int note_error(sockaddr_nl*, nlmsgerr* answer, void* argument) {
  *static_cast<int*>(argument) = -answer->error;
  return NL_STOP;
}

bool is_way_not_there(int error) {
  return error == ENETDOWN || error == ENETUNREACH || error == EHOSTUNREACH || error == ENODEV ||
         error == EINVAL || error == EACCES;
}

bool is_family_not_there(int error) {
  return error == EAFNOSUPPORT || error == EOPNOTSUPP;
}

}  // namespace

void KernelWriter::FreeSocket::operator()(nl_sock* socket) const {
  nl_socket_free(socket);
}

Expected<KernelWriter> KernelWriter::open() {
  KernelWriter writer(nl_socket_alloc());
  if (!writer.socket_) return fail("cannot allocate a netlink socket");
  if (const int error = nl_connect(writer.socket_.get(), NETLINK_ROUTE); error < 0) {
    return fail(std::string("cannot open a netlink socket: ") + nl_geterror(error));
  }
  return writer;
}

int KernelWriter::carry_out(nl_msg* message) {
  if (message == nullptr) return ENOMEM;
  int error = 0;
  nl_socket_modify_err_cb(socket_.get(), NL_CB_CUSTOM, note_error, &error);
  if (const int sent = nl_send_auto(socket_.get(), message); sent < 0) return EIO;
  if (const int answered = nl_wait_for_ack(socket_.get()); answered < 0 && error == 0) return EIO;
  return error;
}

Expected<void> KernelWriter::may_write() {
  OwnRoute nothing;  // the table of no mark, always empty
  nothing.ipv4 = true;
  nothing.length = kernel::kIpv4PrefixOffset;
  nothing.table = kOwnTableBase;
  const int error = carry_out(route_message(RTM_DELROUTE, 0, nothing).get());
  if (error == 0 || error == ESRCH || error == ENOENT) return {};
  return fail_errno("the kernel does not let the broker change routes", error);
}

Expected<void> KernelWriter::add(const RoutingChanges& changes) {
  for (const OwnRoute& route : changes.added_routes) {
    const auto message = route_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route);
    const int error = carry_out(message.get());
    if (error == 0 || error == EEXIST || is_family_not_there(error)) continue;
    if (is_way_not_there(error)) continue;
    return fail_errno("cannot add a route to table " + std::to_string(route.table), error);
  }
  for (const OwnRule& rule : changes.added_rules) {
    const auto message = rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
    const int error = carry_out(message.get());
    if (error == 0 || error == EEXIST || is_family_not_there(error)) continue;
    return fail_errno("cannot add a routing rule", error);
  }
  return {};
}

Expected<void> KernelWriter::remove(const RoutingChanges& changes) {
  for (const OwnRule& rule : changes.removed_rules) {
    const int error = carry_out(rule_message(RTM_DELRULE, 0, rule).get());
    if (error == 0 || error == ENOENT || error == ESRCH) continue;
    return fail_errno("cannot remove a routing rule", error);
  }
  for (const OwnRoute& route : changes.removed_routes) {
    const int error = carry_out(route_message(RTM_DELROUTE, 0, route).get());
    if (error == 0 || error == ESRCH || error == ENOENT) continue;
    return fail_errno("cannot remove a route of table " + std::to_string(route.table), error);
  }
  return {};
}

}  // namespace px::broker
