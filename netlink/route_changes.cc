// SPDX-License-Identifier: MIT
#include "netlink/route_changes.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

#include "netlink/message_builder.h"

namespace px::netlink {
namespace {

using bundle::Address;

unsigned char family_of(bool ipv4) {
  return ipv4 ? AF_INET : AF_INET6;
}

unsigned char family_length(bool ipv4, unsigned length) {
  return static_cast<unsigned char>(ipv4 ? length - kernel::kIpv4PrefixOffset : length);
}

void put_gateway(MessageBuilder& message, bool ipv4, const Address& gateway) {
  if (!ipv4 || gateway.is_ipv4()) {
    message.put_address(RTA_GATEWAY, gateway, ipv4);
    return;
  }
  // A struct rtvia: the family, then the address.
  std::array<std::byte, sizeof(sa_family_t) + sizeof(in6_addr)> via{};
  constexpr sa_family_t kFamily = AF_INET6;
  std::memcpy(via.data(), &kFamily, sizeof kFamily);
  std::memcpy(via.data() + sizeof kFamily, gateway.bytes.data(), sizeof(in6_addr));
  message.put_bytes(RTA_VIA, via);
}

MessageBuilder route_message(int type, int flags, const kernel::Route& route) {
  const bool leads = route.kind == kernel::RouteKind::kUnicast && !route.next_hops.empty();
  const kernel::NextHop hop = leads ? route.next_hops.front() : kernel::NextHop{};
  rtmsg header{};
  header.rtm_family = family_of(route.ipv4);
  header.rtm_dst_len = family_length(route.ipv4, route.destination.length);
  header.rtm_table = RT_TABLE_UNSPEC;
  header.rtm_protocol = route.protocol;
  header.rtm_type = leads ? RTN_UNICAST : RTN_UNREACHABLE;
  header.rtm_scope = leads && !hop.gateway ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  header.rtm_flags = hop.onlink ? RTNH_F_ONLINK : 0;
  MessageBuilder message(type, flags, header);
  message.put_u32(RTA_TABLE, route.table);
  message.put_u32(RTA_PRIORITY, route.metric);
  if (header.rtm_dst_len != 0) message.put_address(RTA_DST, route.destination.base, route.ipv4);
  if (leads) message.put_u32(RTA_OIF, hop.interface_index);
  if (route.preferred_source) {
    message.put_address(RTA_PREFSRC, *route.preferred_source, route.ipv4);
  }
  if (hop.gateway) put_gateway(message, route.ipv4, *hop.gateway);
  return message;
}

std::uint8_t action_of(kernel::RuleAction action) {
  switch (action) {
    case kernel::RuleAction::kTable:
      return FR_ACT_TO_TBL;
    case kernel::RuleAction::kGoto:
      return FR_ACT_GOTO;
    case kernel::RuleAction::kDeny:
      return FR_ACT_UNREACHABLE;
    case kernel::RuleAction::kNothing:
      break;
  }
  return FR_ACT_NOP;
}

void put_selectors(MessageBuilder& message, const kernel::Rule& rule) {
  if (!rule.input_interface.empty()) message.put_text(FRA_IIFNAME, rule.input_interface);
  if (!rule.output_interface.empty()) message.put_text(FRA_OIFNAME, rule.output_interface);
  if (rule.mark_mask != 0) {
    message.put_u32(FRA_FWMARK, rule.mark);
    message.put_u32(FRA_FWMASK, rule.mark_mask);
  }
  if (rule.ip_protocol != 0) message.put_u8(FRA_IP_PROTO, rule.ip_protocol);
  if (rule.source_port != 0) {
    const fib_rule_port_range port{rule.source_port, rule.source_port};
    message.put_bytes(FRA_SPORT_RANGE, std::as_bytes(std::span(&port, 1)));
  }
  if (rule.source) message.put_address(FRA_SRC, rule.source->base, rule.ipv4);
  if (rule.destination) message.put_address(FRA_DST, rule.destination->base, rule.ipv4);
}

MessageBuilder rule_message(int type, int flags, const kernel::Rule& rule) {
  fib_rule_hdr header{};
  header.family = family_of(rule.ipv4);
  header.action = action_of(rule.action);
  header.flags = rule.invert ? FIB_RULE_INVERT : 0;
  if (rule.source) header.src_len = family_length(rule.ipv4, rule.source->length);
  if (rule.destination) header.dst_len = family_length(rule.ipv4, rule.destination->length);
  MessageBuilder message(type, flags, header);
  message.put_u32(FRA_PRIORITY, rule.priority);
  message.put_u8(FRA_PROTOCOL, rule.protocol);
  if (rule.action == kernel::RuleAction::kGoto) message.put_u32(FRA_GOTO, rule.goto_priority);
  if (rule.action == kernel::RuleAction::kTable) message.put_u32(FRA_TABLE, rule.table);
  put_selectors(message, rule);
  return message;
}

}  // namespace

int add_route(RequestSocket& socket, const kernel::Route& route) {
  return socket.request(route_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route));
}

int remove_route(RequestSocket& socket, const kernel::Route& route) {
  return socket.request(route_message(RTM_DELROUTE, 0, route));
}

int add_rule(RequestSocket& socket, const kernel::Rule& rule) {
  return socket.request(rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule));
}

int remove_rule(RequestSocket& socket, const kernel::Rule& rule) {
  return socket.request(rule_message(RTM_DELRULE, 0, rule));
}

}  // namespace px::netlink
