// SPDX-License-Identifier: MIT
#include "netlink/parse.h"

#include <linux/fib_rules.h>
#include <linux/icmpv6.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "netlink/attributes.h"

namespace px::netlink {
namespace {

using bundle::Address;

static_assert(kernel::kDefaultTable == RT_TABLE_DEFAULT && kernel::kMainTable == RT_TABLE_MAIN &&
              kernel::kLocalTable == RT_TABLE_LOCAL);
static_assert(kernel::kUniverseScope == RT_SCOPE_UNIVERSE && kernel::kLinkScope == RT_SCOPE_LINK &&
              kernel::kHostScope == RT_SCOPE_HOST);
static_assert(kernel::kKernelProtocol == RTPROT_KERNEL &&
              kernel::kRouterAdvertisementProtocol == RTPROT_RA &&
              kernel::kDhcpProtocol == RTPROT_DHCP);

std::uint16_t single_port(const Attributes& attributes, int attribute) {
  fib_rule_port_range range{};
  const auto bytes = attributes.bytes(attribute);
  if (!bytes || bytes->size() != sizeof range) return 0;
  std::memcpy(&range, bytes->data(), sizeof range);
  return range.start == range.end ? range.start : 0;
}

bool is_ip(std::uint8_t family) {
  return family == AF_INET || family == AF_INET6;
}

// An absent attribute with a length of 0 is the whole family.
kernel::Prefix prefix(const std::optional<Address>& base, bool ipv4, unsigned length) {
  const Address any = ipv4 ? bundle::ipv4_address(0) : Address{};
  return {base.value_or(any), length + (ipv4 ? kernel::kIpv4PrefixOffset : 0)};
}

std::optional<Address> gateway(const Attributes& attributes) {
  std::optional<Address> found = attributes.address(RTA_GATEWAY);
  const auto via = attributes.bytes(RTA_VIA);
  if (via && via->size() > sizeof(rtvia)) found = address_from_bytes(via->subspan(sizeof(rtvia)));
  if (found && found->is_unspecified()) return std::nullopt;
  return found;
}

kernel::NextHop next_hop(std::uint32_t interface_index, std::optional<Address> gateway,
                         unsigned flags) {
  return {interface_index, gateway, (flags & RTNH_F_ONLINK) != 0,
          (flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) == 0};
}

std::vector<kernel::NextHop> multipath(std::span<const std::byte> bytes) {
  std::vector<kernel::NextHop> next_hops;
  while (bytes.size() >= sizeof(rtnexthop)) {
    rtnexthop hop;
    std::memcpy(&hop, bytes.data(), sizeof hop);
    if (hop.rtnh_len < sizeof hop || hop.rtnh_len > bytes.size()) break;
    const Attributes attributes(bytes.first(hop.rtnh_len).subspan(sizeof hop));
    next_hops.push_back(next_hop(static_cast<std::uint32_t>(hop.rtnh_ifindex), gateway(attributes),
                                 hop.rtnh_flags));
    bytes = bytes.subspan(std::min<std::size_t>(bytes.size(), RTNH_ALIGN(hop.rtnh_len)));
  }
  return next_hops;
}

std::optional<kernel::RouteKind> route_kind(std::uint8_t type) {
  switch (type) {
    case RTN_UNICAST:
      return kernel::RouteKind::kUnicast;
    case RTN_UNREACHABLE:
    case RTN_BLACKHOLE:
    case RTN_PROHIBIT:
      return kernel::RouteKind::kDeny;
    case RTN_THROW:
      return kernel::RouteKind::kThrow;
    case RTN_LOCAL:
      return kernel::RouteKind::kLocal;
    default:
      return std::nullopt;
  }
}

unsigned router_rank(std::uint8_t preference) {
  if (preference == ICMPV6_ROUTER_PREF_HIGH) return 0;
  return preference == ICMPV6_ROUTER_PREF_LOW ? 2 : 1;
}

kernel::RuleAction rule_action(const fib_rule_hdr& header) {
  switch (header.action) {
    case FR_ACT_TO_TBL:
      return kernel::RuleAction::kTable;
    case FR_ACT_GOTO:
      return (header.flags & FIB_RULE_UNRESOLVED) != 0 ? kernel::RuleAction::kNothing
                                                       : kernel::RuleAction::kGoto;
    case FR_ACT_BLACKHOLE:
    case FR_ACT_UNREACHABLE:
    case FR_ACT_PROHIBIT:
      return kernel::RuleAction::kDeny;
    default:
      return kernel::RuleAction::kNothing;
  }
}

bool selects_some(const fib_rule_hdr& header, const Attributes& attributes) {
  return header.tos != 0 || attributes.has(FRA_TUN_ID) || attributes.has(FRA_UID_RANGE) ||
         attributes.has(FRA_IP_PROTO) || attributes.has(FRA_SPORT_RANGE) ||
         attributes.has(FRA_DPORT_RANGE) || attributes.u8(FRA_L3MDEV).value_or(0) != 0;
}

}  // namespace

std::optional<kernel::Link> parse_link(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWLINK) return std::nullopt;
  const auto* header = header_of<ifinfomsg>(message);
  // Bridges send a message of their own for their ports.
  if (header == nullptr || header->ifi_family != AF_UNSPEC) return std::nullopt;
  const Attributes attributes(message, sizeof *header);
  kernel::Link link;
  link.index = static_cast<std::uint32_t>(header->ifi_index);
  link.name = attributes.text(IFLA_IFNAME);
  link.loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
  const std::uint8_t state = attributes.u8(IFLA_OPERSTATE).value_or(IF_OPER_UNKNOWN);
  const bool operational = state == IF_OPER_UP || state == IF_OPER_UNKNOWN;
  link.up = (header->ifi_flags & IFF_UP) != 0 && operational &&
            attributes.u8(IFLA_CARRIER).value_or(1) != 0;
  return link;
}

std::optional<kernel::InterfaceAddress> parse_address(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWADDR) return std::nullopt;
  const auto* header = header_of<ifaddrmsg>(message);
  if (header == nullptr || !is_ip(header->ifa_family)) return std::nullopt;
  const Attributes attributes(message, sizeof *header);
  const auto peer = attributes.address(IFA_ADDRESS);
  const auto local = attributes.address(IFA_LOCAL);
  if (!peer && !local) return std::nullopt;
  const std::uint32_t flags = attributes.u32(IFA_FLAGS).value_or(header->ifa_flags);
  kernel::InterfaceAddress parsed;
  parsed.interface_index = header->ifa_index;
  parsed.ipv4 = header->ifa_family == AF_INET;
  parsed.address = local ? *local : *peer;
  parsed.network = {peer ? *peer : *local,
                    header->ifa_prefixlen + (parsed.ipv4 ? kernel::kIpv4PrefixOffset : 0)};
  parsed.scope = header->ifa_scope;
  parsed.secondary = parsed.ipv4 && (flags & IFA_F_SECONDARY) != 0;
  parsed.temporary = !parsed.ipv4 && (flags & IFA_F_TEMPORARY) != 0;
  parsed.deprecated = (flags & IFA_F_DEPRECATED) != 0;
  parsed.optimistic = (flags & IFA_F_OPTIMISTIC) != 0;
  parsed.tentative = (flags & IFA_F_TENTATIVE) != 0;
  parsed.dad_failed = (flags & IFA_F_DADFAILED) != 0;
  return parsed;
}

std::optional<kernel::Route> parse_route(const nlmsghdr& message) {
  const auto* header = header_of<rtmsg>(message);
  if (header == nullptr) return std::nullopt;
  if ((header->rtm_flags & RTM_F_CLONED) != 0 || header->rtm_tos != 0) return std::nullopt;
  // IPv6 routes may be for some sources only, which is a selector that no rule shows.
  if (header->rtm_src_len != 0) return std::nullopt;
  return parse_answer(message);
}

std::optional<kernel::Route> parse_answer(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWROUTE) return std::nullopt;
  const auto* header = header_of<rtmsg>(message);
  if (header == nullptr || !is_ip(header->rtm_family)) return std::nullopt;
  const Attributes attributes(message, sizeof *header);
  const auto kind = route_kind(header->rtm_type);
  if (!kind) return std::nullopt;
  kernel::Route route;
  route.kind = *kind;
  route.ipv4 = header->rtm_family == AF_INET;
  route.destination = prefix(attributes.address(RTA_DST), route.ipv4, header->rtm_dst_len);
  route.table = attributes.u32(RTA_TABLE).value_or(header->rtm_table);
  route.metric = attributes.u32(RTA_PRIORITY).value_or(0);
  route.router_rank = router_rank(attributes.u8(RTA_PREF).value_or(ICMPV6_ROUTER_PREF_MEDIUM));
  route.protocol = header->rtm_protocol;
  route.preferred_source = attributes.address(RTA_PREFSRC);
  if (const auto hops = attributes.bytes(RTA_MULTIPATH)) {
    route.next_hops = multipath(*hops);
  } else if (attributes.has(RTA_OIF)) {
    route.next_hops.push_back(
        next_hop(attributes.u32(RTA_OIF).value_or(0), gateway(attributes), header->rtm_flags));
  }
  return route;
}

std::optional<kernel::Rule> parse_rule(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWRULE) return std::nullopt;
  const auto* header = header_of<fib_rule_hdr>(message);
  if (header == nullptr || !is_ip(header->family)) return std::nullopt;
  const Attributes attributes(message, sizeof *header);
  kernel::Rule rule;
  rule.ipv4 = header->family == AF_INET;
  rule.protocol = attributes.u8(FRA_PROTOCOL).value_or(0);
  rule.priority = attributes.u32(FRA_PRIORITY).value_or(0);
  rule.action = rule_action(*header);
  rule.table = attributes.u32(FRA_TABLE).value_or(header->table);
  rule.goto_priority = attributes.u32(FRA_GOTO).value_or(0);
  const std::uint32_t suppressed = attributes.u32(FRA_SUPPRESS_PREFIXLEN).value_or(UINT32_MAX);
  if (suppressed != UINT32_MAX) {
    rule.suppressed_length = suppressed + (rule.ipv4 ? kernel::kIpv4PrefixOffset : 0);
  }
  rule.invert = (header->flags & FIB_RULE_INVERT) != 0;
  rule.selects_some = selects_some(*header, attributes);
  rule.input_interface = attributes.text(FRA_IIFNAME);
  rule.output_interface = attributes.text(FRA_OIFNAME);
  rule.ip_protocol = attributes.u8(FRA_IP_PROTO).value_or(0);
  rule.source_port = single_port(attributes, FRA_SPORT_RANGE);
  rule.mark = attributes.u32(FRA_FWMARK).value_or(0);
  rule.mark_mask = attributes.u32(FRA_FWMASK).value_or(rule.mark != 0 ? UINT32_MAX : 0);
  if (header->src_len != 0)
    rule.source = prefix(attributes.address(FRA_SRC), rule.ipv4, header->src_len);
  if (header->dst_len != 0) {
    rule.destination = prefix(attributes.address(FRA_DST), rule.ipv4, header->dst_len);
  }
  return rule;
}

}  // namespace px::netlink
