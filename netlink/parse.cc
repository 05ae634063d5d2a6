// SPDX-License-Identifier: MIT
#include "netlink/parse.h"

#include <linux/fib_rules.h>
#include <linux/icmpv6.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>
#include <utility>

namespace px::broker {
namespace {

using bundle::Address;

template <std::size_t Max>
using Attributes = std::array<nlattr*, Max + 1>;

// The family's header and the attributes after it; a null header where the message is shorter.
template <typename Header, std::size_t Size>
const Header* parse(const nlmsghdr& message, std::array<nlattr*, Size>& attributes) {
  // libnl does not change what it is given, though it asks for it writable.
  auto* writable = const_cast<nlmsghdr*>(&message);
  if (nlmsg_parse(writable, sizeof(Header), attributes.data(), Size - 1, nullptr) < 0)
    return nullptr;
  return static_cast<const Header*>(nlmsg_data(writable));
}

std::uint32_t number(const nlattr* attribute, std::uint32_t absent = 0) {
  if (attribute == nullptr || nla_len(attribute) != sizeof(std::uint32_t)) return absent;
  return nla_get_u32(attribute);
}

std::uint8_t small_number(const nlattr* attribute, std::uint8_t absent) {
  return attribute != nullptr && nla_len(attribute) == 1 ? nla_get_u8(attribute) : absent;
}

std::uint16_t single_port(const nlattr* attribute) {
  fib_rule_port_range range{};
  if (attribute == nullptr || nla_len(attribute) != sizeof range) return 0;
  std::memcpy(&range, nla_data(attribute), sizeof range);
  return range.start == range.end ? range.start : 0;
}

std::string text(const nlattr* attribute) {
  if (attribute == nullptr) return {};
  const auto* start = static_cast<const char*>(nla_data(attribute));
  return {start, strnlen(start, static_cast<std::size_t>(nla_len(attribute)))};
}

std::optional<Address> address_from_bytes(std::span<const std::uint8_t> bytes) {
  if (bytes.size() == 4) {
    return bundle::ipv4_address(std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
                                std::uint32_t{bytes[2]} << 8 | bytes[3]);
  }
  Address address;
  if (bytes.size() != address.bytes.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
  return address;
}

std::optional<Address> address(const nlattr* attribute) {
  if (attribute == nullptr) return std::nullopt;
  return address_from_bytes({static_cast<const std::uint8_t*>(nla_data(attribute)),
                             static_cast<std::size_t>(nla_len(attribute))});
}

bool is_ip(std::uint8_t family) {
  return family == AF_INET || family == AF_INET6;
}

// An absent attribute with a length of 0 is the whole family.
kernel::Prefix prefix(const nlattr* attribute, bool ipv4, unsigned length) {
  const Address any = ipv4 ? bundle::ipv4_address(0) : Address{};
  return {address(attribute).value_or(any), length + (ipv4 ? kernel::kIpv4PrefixOffset : 0)};
}

std::optional<Address> gateway(const Attributes<RTA_MAX>& attributes) {
  std::optional<Address> found = address(attributes[RTA_GATEWAY]);
  if (const nlattr* via = attributes[RTA_VIA]; via != nullptr) {
    const auto* bytes = static_cast<const std::uint8_t*>(nla_data(via));
    const auto length = static_cast<std::size_t>(nla_len(via));
    if (length > sizeof(rtvia)) {
      found = address_from_bytes({bytes + sizeof(rtvia), length - sizeof(rtvia)});
    }
  }
  if (found && found->is_unspecified()) return std::nullopt;
  return found;
}

kernel::NextHop next_hop(std::uint32_t interface_index, std::optional<Address> gateway,
                         unsigned flags) {
  return {interface_index, gateway, (flags & RTNH_F_ONLINK) != 0,
          (flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) == 0};
}

std::vector<kernel::NextHop> multipath(const nlattr* attribute) {
  std::vector<kernel::NextHop> next_hops;
  auto* position = static_cast<char*>(nla_data(attribute));
  auto left = static_cast<std::size_t>(nla_len(attribute));
  while (left >= sizeof(rtnexthop)) {
    rtnexthop hop;
    std::memcpy(&hop, position, sizeof hop);
    if (hop.rtnh_len < sizeof hop || hop.rtnh_len > left) break;
    Attributes<RTA_MAX> attributes{};
    if (nla_parse(attributes.data(), RTA_MAX, reinterpret_cast<nlattr*>(position + sizeof hop),
                  static_cast<int>(hop.rtnh_len - sizeof hop), nullptr) < 0) {
      break;
    }
    next_hops.push_back(next_hop(static_cast<std::uint32_t>(hop.rtnh_ifindex), gateway(attributes),
                                 hop.rtnh_flags));
    const std::size_t step = std::min<std::size_t>(left, RTNH_ALIGN(hop.rtnh_len));
    position += step;
    left -= step;
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

bool selects_some(const fib_rule_hdr& header, const Attributes<FRA_MAX>& attributes) {
  const auto given = [&](int attribute) { return attributes[attribute] != nullptr; };
  return header.tos != 0 || given(FRA_TUN_ID) || given(FRA_UID_RANGE) || given(FRA_IP_PROTO) ||
         given(FRA_SPORT_RANGE) || given(FRA_DPORT_RANGE) ||
         small_number(attributes[FRA_L3MDEV], 0) != 0;
}

}  // namespace

std::optional<kernel::Link> parse_link(const nlmsghdr& message) {
  Attributes<IFLA_MAX> attributes{};
  if (message.nlmsg_type != RTM_NEWLINK) return std::nullopt;
  const auto* header = parse<ifinfomsg>(message, attributes);
  // Bridges send a message of their own for their ports.
  if (header == nullptr || header->ifi_family != AF_UNSPEC) return std::nullopt;
  kernel::Link link;
  link.index = static_cast<std::uint32_t>(header->ifi_index);
  link.name = text(attributes[IFLA_IFNAME]);
  link.loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
  const std::uint8_t state = small_number(attributes[IFLA_OPERSTATE], IF_OPER_UNKNOWN);
  const bool operational = state == IF_OPER_UP || state == IF_OPER_UNKNOWN;
  link.up = (header->ifi_flags & IFF_UP) != 0 && operational &&
            small_number(attributes[IFLA_CARRIER], 1) != 0;
  return link;
}

std::optional<kernel::InterfaceAddress> parse_address(const nlmsghdr& message) {
  Attributes<IFA_MAX> attributes{};
  if (message.nlmsg_type != RTM_NEWADDR) return std::nullopt;
  const auto* header = parse<ifaddrmsg>(message, attributes);
  if (header == nullptr || !is_ip(header->ifa_family)) return std::nullopt;
  const auto peer = address(attributes[IFA_ADDRESS]);
  const auto local = address(attributes[IFA_LOCAL]);
  if (!peer && !local) return std::nullopt;
  const std::uint32_t flags = number(attributes[IFA_FLAGS], header->ifa_flags);
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
  const auto* header = static_cast<const rtmsg*>(nlmsg_data(&message));
  if (nlmsg_datalen(&message) < static_cast<int>(sizeof *header)) return std::nullopt;
  if ((header->rtm_flags & RTM_F_CLONED) != 0 || header->rtm_tos != 0) return std::nullopt;
  // IPv6 routes may be for some sources only, which is a selector that no rule shows.
  if (header->rtm_src_len != 0) return std::nullopt;
  return parse_answer(message);
}

std::optional<kernel::Route> parse_answer(const nlmsghdr& message) {
  Attributes<RTA_MAX> attributes{};
  if (message.nlmsg_type != RTM_NEWROUTE) return std::nullopt;
  const auto* header = parse<rtmsg>(message, attributes);
  if (header == nullptr || !is_ip(header->rtm_family)) return std::nullopt;
  const auto kind = route_kind(header->rtm_type);
  if (!kind) return std::nullopt;
  kernel::Route route;
  route.kind = *kind;
  route.ipv4 = header->rtm_family == AF_INET;
  route.destination = prefix(attributes[RTA_DST], route.ipv4, header->rtm_dst_len);
  route.table = number(attributes[RTA_TABLE], header->rtm_table);
  route.metric = number(attributes[RTA_PRIORITY]);
  route.router_rank = router_rank(small_number(attributes[RTA_PREF], ICMPV6_ROUTER_PREF_MEDIUM));
  route.protocol = header->rtm_protocol;
  route.preferred_source = address(attributes[RTA_PREFSRC]);
  if (attributes[RTA_MULTIPATH] != nullptr) {
    route.next_hops = multipath(attributes[RTA_MULTIPATH]);
  } else if (attributes[RTA_OIF] != nullptr) {
    route.next_hops.push_back(
        next_hop(number(attributes[RTA_OIF]), gateway(attributes), header->rtm_flags));
  }
  return route;
}

std::optional<kernel::Rule> parse_rule(const nlmsghdr& message) {
  Attributes<FRA_MAX> attributes{};
  if (message.nlmsg_type != RTM_NEWRULE) return std::nullopt;
  const auto* header = parse<fib_rule_hdr>(message, attributes);
  if (header == nullptr || !is_ip(header->family)) return std::nullopt;
  kernel::Rule rule;
  rule.ipv4 = header->family == AF_INET;
  rule.protocol = small_number(attributes[FRA_PROTOCOL], 0);
  rule.priority = number(attributes[FRA_PRIORITY]);
  rule.action = rule_action(*header);
  rule.table = number(attributes[FRA_TABLE], header->table);
  rule.goto_priority = number(attributes[FRA_GOTO]);
  const std::uint32_t suppressed = number(attributes[FRA_SUPPRESS_PREFIXLEN], UINT32_MAX);
  if (suppressed != UINT32_MAX) {
    rule.suppressed_length = suppressed + (rule.ipv4 ? kernel::kIpv4PrefixOffset : 0);
  }
  rule.invert = (header->flags & FIB_RULE_INVERT) != 0;
  rule.selects_some = selects_some(*header, attributes);
  rule.input_interface = text(attributes[FRA_IIFNAME]);
  rule.output_interface = text(attributes[FRA_OIFNAME]);
  rule.ip_protocol = small_number(attributes[FRA_IP_PROTO], 0);
  rule.source_port = single_port(attributes[FRA_SPORT_RANGE]);
  rule.mark = number(attributes[FRA_FWMARK]);
  rule.mark_mask = number(attributes[FRA_FWMASK], rule.mark != 0 ? UINT32_MAX : 0);
  if (header->src_len != 0) rule.source = prefix(attributes[FRA_SRC], rule.ipv4, header->src_len);
  if (header->dst_len != 0) {
    rule.destination = prefix(attributes[FRA_DST], rule.ipv4, header->dst_len);
  }
  return rule;
}

}  // namespace px::broker
