// SPDX-License-Identifier: MIT
#include "netlink/parse.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/fib_rules.h>
#include <linux/icmpv6.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <cstring>
#include <random>
#include <string_view>
#include <vector>

#include "tests/unit/netlink/kernel_state_fixture.h"

namespace px::netlink {
namespace {

using bundle::Address;
using test::addr;

// A netlink message, grown as the kernel would.
class Message {
 public:
  template <typename Header>
  Message(std::uint16_t type, const Header& header) {
    nlmsghdr start{};
    start.nlmsg_type = type;
    append(&start, sizeof start);
    append(&header, sizeof header);
  }

  Message& bytes(std::uint16_t type, const void* data, std::size_t size) {
    const rtattr attribute{static_cast<std::uint16_t>(RTA_LENGTH(size)), type};
    append(&attribute, sizeof attribute);
    append(data, size);
    return *this;
  }
  Message& number(std::uint16_t type, std::uint32_t value) {
    return bytes(type, &value, sizeof value);
  }
  Message& small(std::uint16_t type, std::uint8_t value) { return bytes(type, &value, 1); }
  Message& text(std::uint16_t type, const char* value) {
    return bytes(type, value, std::strlen(value) + 1);
  }
  Message& address(std::uint16_t type, std::string_view value) {
    const Address parsed = addr(value);
    const std::size_t skip = parsed.is_ipv4() ? 12 : 0;
    return bytes(type, parsed.bytes.data() + skip, parsed.bytes.size() - skip);
  }

  [[nodiscard]] const nlmsghdr& get() {
    header()->nlmsg_len = static_cast<std::uint32_t>(size_);
    return *header();
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] char* data() { return reinterpret_cast<char*>(words_.data()); }

 private:
  nlmsghdr* header() { return reinterpret_cast<nlmsghdr*>(words_.data()); }

  void append(const void* data, std::size_t size) {
    const std::size_t at = size_;
    size_ += NLMSG_ALIGN(size);
    words_.resize((size_ + 7) / 8);
    std::memcpy(this->data() + at, data, size);
  }

  std::vector<std::uint64_t> words_;
  std::size_t size_ = 0;
};

Message link_message(unsigned flags, std::uint8_t state, std::uint8_t carrier) {
  ifinfomsg header{};
  header.ifi_index = 7;
  header.ifi_flags = flags;
  Message message(RTM_NEWLINK, header);
  message.text(IFLA_IFNAME, "eth0").small(IFLA_OPERSTATE, state).small(IFLA_CARRIER, carrier);
  return message;
}

TEST(NetlinkParse, LinkUpNeedsOperationAndCarrier) {
  const auto link = parse_link(link_message(IFF_UP, IF_OPER_UP, 1).get());
  ASSERT_TRUE(link);
  EXPECT_EQ(link->index, 7U);
  EXPECT_EQ(link->name, "eth0");
  EXPECT_FALSE(link->loopback);
  EXPECT_TRUE(link->up);
  EXPECT_TRUE(parse_link(link_message(IFF_UP, IF_OPER_UNKNOWN, 1).get())->up);
  EXPECT_FALSE(parse_link(link_message(IFF_UP, IF_OPER_UP, 0).get())->up);
  EXPECT_FALSE(parse_link(link_message(IFF_UP, IF_OPER_LOWERLAYERDOWN, 1).get())->up);
  EXPECT_FALSE(parse_link(link_message(IFF_UP, IF_OPER_DORMANT, 1).get())->up);
  EXPECT_FALSE(parse_link(link_message(0, IF_OPER_UP, 1).get())->up);
  EXPECT_TRUE(parse_link(link_message(IFF_LOOPBACK, IF_OPER_UNKNOWN, 1).get())->loopback);
}

ifaddrmsg address_header(std::uint8_t family, std::uint8_t length, std::uint8_t flags = 0) {
  ifaddrmsg header{};
  header.ifa_family = family;
  header.ifa_prefixlen = length;
  header.ifa_flags = flags;
  header.ifa_index = 7;
  return header;
}

TEST(NetlinkParse, AddressOfAPointToPointLinkIsTheLocalOne) {
  Message message(RTM_NEWADDR, address_header(AF_INET, 32, IFA_F_SECONDARY));
  message.address(IFA_ADDRESS, "10.8.0.1").address(IFA_LOCAL, "10.8.0.2");
  const auto parsed = parse_address(message.get());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->address, addr("10.8.0.2"));
  EXPECT_EQ(parsed->network.base, addr("10.8.0.1"));
  EXPECT_EQ(parsed->network.length, 128U);
  EXPECT_TRUE(parsed->secondary);
  EXPECT_FALSE(parsed->temporary);
}

TEST(NetlinkParse, AddressFlagsAreTheWideOnes) {
  Message message(RTM_NEWADDR, address_header(AF_INET6, 64, IFA_F_TENTATIVE));
  message.address(IFA_ADDRESS, "2001:db8::1")
      .number(IFA_FLAGS, IFA_F_MANAGETEMPADDR | IFA_F_TEMPORARY | IFA_F_DEPRECATED);
  const auto parsed = parse_address(message.get());
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->temporary);
  EXPECT_TRUE(parsed->deprecated);
  EXPECT_FALSE(parsed->tentative);
  EXPECT_FALSE(parsed->secondary);
}

rtmsg route_header(std::uint8_t family, std::uint8_t length, std::uint8_t type = RTN_UNICAST) {
  rtmsg header{};
  header.rtm_family = family;
  header.rtm_dst_len = length;
  header.rtm_type = type;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_BOOT;
  return header;
}

TEST(NetlinkParse, DefaultRoute) {
  Message message(RTM_NEWROUTE, route_header(AF_INET, 0));
  message.number(RTA_TABLE, 51820)
      .number(RTA_PRIORITY, 100)
      .number(RTA_OIF, 7)
      .address(RTA_GATEWAY, "192.0.2.1")
      .address(RTA_PREFSRC, "192.0.2.10");
  const auto route = parse_route(message.get());
  ASSERT_TRUE(route);
  EXPECT_TRUE(route->is_default());
  EXPECT_EQ(route->destination.base, addr("0.0.0.0"));
  EXPECT_EQ(route->table, 51820U);
  EXPECT_EQ(route->metric, 100U);
  EXPECT_EQ(route->preferred_source, addr("192.0.2.10"));
  ASSERT_EQ(route->next_hops.size(), 1U);
  EXPECT_EQ(route->next_hops[0].interface_index, 7U);
  EXPECT_EQ(route->next_hops[0].gateway, addr("192.0.2.1"));
  EXPECT_TRUE(route->next_hops[0].alive);
}

TEST(NetlinkParse, RouteThroughARouterOfTheOtherFamily) {
  struct {
    std::uint16_t family = AF_INET6;
    Address address = addr("fe80::1");
  } via;
  Message message(RTM_NEWROUTE, route_header(AF_INET, 8));
  message.address(RTA_DST, "10.0.0.0").number(RTA_OIF, 7).bytes(RTA_VIA, &via, sizeof via);
  const auto route = parse_route(message.get());
  ASSERT_TRUE(route);
  EXPECT_EQ(route->destination.length, 104U);
  ASSERT_EQ(route->next_hops.size(), 1U);
  EXPECT_EQ(route->next_hops[0].gateway, addr("fe80::1"));
}

TEST(NetlinkParse, MultipathRoute) {
  struct Hop {
    rtnexthop head{};
    rtattr attribute{8, RTA_GATEWAY};
    std::uint32_t gateway = htonl(0xc0000201);
  } hops[2];
  hops[0].head = {sizeof(Hop), RTNH_F_ONLINK, 0, 7};
  hops[1].head = {sizeof(Hop), RTNH_F_LINKDOWN, 0, 8};
  hops[1].gateway = htonl(0xc0000202);
  Message message(RTM_NEWROUTE, route_header(AF_INET, 0));
  message.bytes(RTA_MULTIPATH, hops, sizeof hops);
  const auto route = parse_route(message.get());
  ASSERT_TRUE(route);
  ASSERT_EQ(route->next_hops.size(), 2U);
  EXPECT_EQ(route->next_hops[0].gateway, addr("192.0.2.1"));
  EXPECT_TRUE(route->next_hops[0].onlink);
  EXPECT_EQ(route->next_hops[1].gateway, addr("192.0.2.2"));
  EXPECT_EQ(route->next_hops[1].interface_index, 8U);
  EXPECT_FALSE(route->next_hops[1].alive);
}

TEST(NetlinkParse, RouteKindsAndPreferences) {
  const auto kind = [](std::uint8_t type) {
    const auto route = parse_route(Message(RTM_NEWROUTE, route_header(AF_INET6, 0, type)).get());
    return route ? std::optional(route->kind) : std::nullopt;
  };
  EXPECT_EQ(kind(RTN_UNICAST), kernel::RouteKind::kUnicast);
  EXPECT_EQ(kind(RTN_BLACKHOLE), kernel::RouteKind::kDeny);
  EXPECT_EQ(kind(RTN_UNREACHABLE), kernel::RouteKind::kDeny);
  EXPECT_EQ(kind(RTN_PROHIBIT), kernel::RouteKind::kDeny);
  EXPECT_EQ(kind(RTN_THROW), kernel::RouteKind::kThrow);
  EXPECT_EQ(kind(RTN_LOCAL), kernel::RouteKind::kLocal);
  EXPECT_EQ(kind(RTN_BROADCAST), std::nullopt);
  Message preferred(RTM_NEWROUTE, route_header(AF_INET6, 0));
  EXPECT_EQ(parse_route(preferred.get())->router_rank, 1U);
  preferred.small(RTA_PREF, ICMPV6_ROUTER_PREF_HIGH);
  EXPECT_EQ(parse_route(preferred.get())->router_rank, 0U);
}

TEST(NetlinkParse, RoutesForPartOfTheTrafficAreLeftOut) {
  rtmsg header = route_header(AF_INET, 0);
  EXPECT_TRUE(parse_route(Message(RTM_NEWROUTE, header).get()));
  header.rtm_tos = 16;
  EXPECT_FALSE(parse_route(Message(RTM_NEWROUTE, header).get()));
  header = route_header(AF_INET6, 0);
  header.rtm_flags = RTM_F_CLONED;
  EXPECT_FALSE(parse_route(Message(RTM_NEWROUTE, header).get()));
  header = route_header(AF_INET6, 0);
  header.rtm_src_len = 64;
  EXPECT_FALSE(parse_route(Message(RTM_NEWROUTE, header).get()));
}

TEST(NetlinkParse, WgQuickRules) {
  fib_rule_hdr header{};
  header.family = AF_INET;
  header.action = FR_ACT_TO_TBL;
  header.flags = FIB_RULE_INVERT;
  Message inverted(RTM_NEWRULE, header);
  inverted.number(FRA_PRIORITY, 32765)
      .number(FRA_TABLE, 51820)
      .number(FRA_FWMARK, 0xca6c)
      .small(FRA_PROTOCOL, RTPROT_STATIC)
      .number(FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
  const auto rule = parse_rule(inverted.get());
  ASSERT_TRUE(rule);
  EXPECT_TRUE(rule->invert);
  EXPECT_EQ(rule->action, kernel::RuleAction::kTable);
  EXPECT_EQ(rule->priority, 32765U);
  EXPECT_EQ(rule->table, 51820U);
  EXPECT_EQ(rule->protocol, RTPROT_STATIC);
  EXPECT_EQ(rule->mark, 0xca6cU);
  EXPECT_EQ(rule->mark_mask, 0xffffffffU);
  EXPECT_FALSE(rule->suppressed_length);
  EXPECT_FALSE(rule->selects_some);

  header.flags = 0;
  header.table = RT_TABLE_MAIN;
  Message suppressing(RTM_NEWRULE, header);
  suppressing.number(FRA_SUPPRESS_PREFIXLEN, 0);
  const auto second = parse_rule(suppressing.get());
  ASSERT_TRUE(second);
  EXPECT_EQ(second->table, std::uint32_t{RT_TABLE_MAIN});
  EXPECT_EQ(second->suppressed_length, 96U);
  EXPECT_EQ(second->mark_mask, 0U);
}

TEST(NetlinkParse, RuleSelectors) {
  fib_rule_hdr header{};
  header.family = AF_INET6;
  header.action = FR_ACT_UNREACHABLE;
  header.src_len = 64;
  const std::uint64_t everyone = 0;
  Message message(RTM_NEWRULE, header);
  message.address(FRA_SRC, "2001:db8::").text(FRA_OIFNAME, "eth0");
  const auto rule = parse_rule(message.get());
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->action, kernel::RuleAction::kDeny);
  ASSERT_TRUE(rule->source);
  EXPECT_EQ(rule->source->base, addr("2001:db8::"));
  EXPECT_EQ(rule->source->length, 64U);
  EXPECT_FALSE(rule->destination);
  EXPECT_EQ(rule->output_interface, "eth0");
  EXPECT_FALSE(rule->selects_some);
  message.bytes(FRA_UID_RANGE, &everyone, sizeof everyone);
  EXPECT_TRUE(parse_rule(message.get())->selects_some);
}

TEST(NetlinkParse, RulesOfAPort) {
  fib_rule_hdr header{};
  header.family = AF_INET;
  header.action = FR_ACT_TO_TBL;
  header.dst_len = 32;
  const fib_rule_port_range one{5000, 5000};
  Message message(RTM_NEWRULE, header);
  message.address(FRA_DST, "203.0.113.1").small(FRA_IP_PROTO, IPPROTO_SCTP);
  EXPECT_EQ(parse_rule(message.get())->source_port, 0);
  message.bytes(FRA_SPORT_RANGE, &one, sizeof one);
  const auto rule = parse_rule(message.get());
  ASSERT_TRUE(rule && rule->destination);
  EXPECT_EQ(rule->destination->base, addr("203.0.113.1"));
  EXPECT_EQ(rule->destination->length, 128U);
  EXPECT_EQ(rule->ip_protocol, IPPROTO_SCTP);
  EXPECT_EQ(rule->source_port, 5000);
  EXPECT_TRUE(rule->selects_some);
  const fib_rule_port_range several{5000, 5001};
  Message range(RTM_NEWRULE, header);
  range.bytes(FRA_SPORT_RANGE, &several, sizeof several);
  EXPECT_EQ(parse_rule(range.get())->source_port, 0);
  Message cut(RTM_NEWRULE, header);
  cut.bytes(FRA_SPORT_RANGE, &one, sizeof one - 1);
  EXPECT_EQ(parse_rule(cut.get())->source_port, 0);
}

TEST(NetlinkParse, RefusesOtherMessagesAndShortOnes) {
  Message message(RTM_DELROUTE, route_header(AF_INET, 0));
  EXPECT_FALSE(parse_route(message.get()));
  Message other_family(RTM_NEWROUTE, route_header(AF_MPLS, 0));
  EXPECT_FALSE(parse_route(other_family.get()));
  Message empty(RTM_NEWROUTE, std::uint32_t{AF_INET});
  EXPECT_FALSE(parse_route(empty.get()));
}

// Under a sanitizer: no bytes after the headers make a parser read past the message.
TEST(NetlinkParse, AnyBytesAreSafe) {
  std::mt19937 random(3);
  Message whole(RTM_NEWROUTE, route_header(AF_INET6, 0));
  whole.number(RTA_OIF, 7).address(RTA_GATEWAY, "fe80::1").address(RTA_DST, "2001:db8::");
  unsigned parsed = 0;
  for (int round = 0; round < 20000; ++round) {
    Message message = whole;
    message.number(RTA_MULTIPATH, static_cast<std::uint32_t>(random()));
    for (int flips = 0; flips < 4; ++flips) {
      message.data()[NLMSG_HDRLEN + random() % (message.size() - NLMSG_HDRLEN)] =
          static_cast<char>(random());
    }
    parsed += parse_route(message.get()) ? 1U : 0U;
    for (const auto& [type, parser] :
         {std::pair{RTM_NEWLINK, +[](const nlmsghdr& m) { return parse_link(m).has_value(); }},
          std::pair{RTM_NEWADDR, +[](const nlmsghdr& m) { return parse_address(m).has_value(); }},
          std::pair{RTM_NEWRULE, +[](const nlmsghdr& m) { return parse_rule(m).has_value(); }}}) {
      reinterpret_cast<nlmsghdr*>(message.data())->nlmsg_type = static_cast<std::uint16_t>(type);
      parsed += parser(message.get()) ? 1U : 0U;
    }
  }
  EXPECT_GT(parsed, 1000U) << "the bytes never came as far as the attributes";
}

}  // namespace
}  // namespace px::netlink
