// SPDX-License-Identifier: MIT
// What the kernel says about its links, addresses, routes and rules, as plain values (px::kernel).
// This folder (px::netlink) reads and writes them by netlink, for all hosted code: nobody else has
// libnl or the kernel's netlink headers. A caller names values, or builds a message of a generic
// family. Errors that a caller must tell apart are the kernel's errno.
//
// Lists keep the kernel's order, which decides where it takes the first. Addresses and prefix
// lengths are in the sixteen-byte form; `ipv4` says the family wherever an unspecified address
// could not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libbundle/core/address.h"

namespace px::kernel {

using bundle::Address;

// What an IPv4 prefix length gains in the sixteen-byte form.
inline constexpr unsigned kIpv4PrefixOffset = 96;

// The tables that every host has (RT_TABLE_*).
inline constexpr std::uint32_t kDefaultTable = 253;
inline constexpr std::uint32_t kMainTable = 254;
inline constexpr std::uint32_t kLocalTable = 255;

// How far an address is valid (RT_SCOPE_*): a smaller number is farther.
inline constexpr std::uint8_t kUniverseScope = 0;
inline constexpr std::uint8_t kLinkScope = 253;
inline constexpr std::uint8_t kHostScope = 254;

// Whose a route or a rule is (RTPROT_*).
inline constexpr std::uint8_t kKernelProtocol = 2;
inline constexpr std::uint8_t kRouterAdvertisementProtocol = 9;
inline constexpr std::uint8_t kDhcpProtocol = 16;

struct Prefix {
  Address base;
  unsigned length = 0;
};

struct Link {
  std::uint32_t index = 0;
  std::string name;
  bool loopback = false;
  bool up = false;  // administratively, operational, with carrier
};

struct InterfaceAddress {
  std::uint32_t interface_index = 0;
  bool ipv4 = false;
  Address address;
  Prefix network;          // of the peer, on a point-to-point link
  std::uint8_t scope = 0;  // RT_SCOPE_*
  bool secondary = false;  // IPv4: of a subnet that has another address before it
  bool temporary = false;  // IPv6: RFC 8981
  bool deprecated = false;
  bool optimistic = false;  // RFC 4429: may be used while duplicate detection goes on
  bool tentative = false;
  bool dad_failed = false;
};

enum class RouteKind : std::uint8_t {
  kUnicast,
  kDeny,   // unreachable, blackhole, prohibit
  kThrow,  // as if the table had no route
  kLocal,
};

struct NextHop {
  std::uint32_t interface_index = 0;
  std::optional<Address> gateway;  // absent: the destination is a neighbour
  bool onlink = false;             // the gateway is a neighbour whatever the addresses say
  bool alive = true;               // neither dead nor without carrier
};

struct Route {
  RouteKind kind = RouteKind::kUnicast;
  bool ipv4 = false;
  Prefix destination;
  std::uint32_t table = 0;
  std::uint32_t metric = 0;
  unsigned router_rank = 1;   // RFC 4191 preference: 0 high, 1 medium, 2 low
  std::uint8_t protocol = 0;  // RTPROT_*
  std::optional<Address> preferred_source;
  std::vector<NextHop> next_hops;

  [[nodiscard]] bool is_default() const {
    return destination.length == (ipv4 ? kIpv4PrefixOffset : 0);
  }
};

enum class RuleAction : std::uint8_t { kTable, kGoto, kNothing, kDeny };

struct Rule {
  bool ipv4 = false;
  std::uint8_t protocol = 0;  // RTPROT_*
  std::uint32_t priority = 0;
  RuleAction action = RuleAction::kNothing;
  std::uint32_t table = 0;          // for kTable
  std::uint32_t goto_priority = 0;  // for kGoto
  // A found route whose own prefix is not longer is passed over; absent: none.
  std::optional<unsigned> suppressed_length;
  bool invert = false;
  // Selects by something that a host's traffic has in both directions: port, protocol, user,
  // tunnel.
  bool selects_some = false;
  std::string input_interface;  // "lo": traffic of the host itself
  std::string output_interface;
  std::uint32_t mark = 0;
  std::uint32_t mark_mask = 0;
  std::optional<Prefix> source;
  std::optional<Prefix> destination;
  std::uint8_t ip_protocol = 0;   // IPPROTO_*; 0: any
  std::uint16_t source_port = 0;  // host byte order; 0: any, or several
};

struct State {
  std::vector<Link> links;
  std::vector<InterfaceAddress> addresses;
  std::vector<Route> routes;
  std::vector<Rule> rules;
};

}  // namespace px::kernel
