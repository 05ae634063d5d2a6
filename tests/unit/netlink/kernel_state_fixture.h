// SPDX-License-Identifier: MIT
// A kernel state in the words of iproute2: links, addresses, routes and rules by short calls,
// addresses and prefixes by text.
#pragma once

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "netlink/kernel_state.h"

namespace px::netlink::test {

using bundle::Address;

inline Address addr(std::string_view text) {
  const auto address = bundle::address_from_text(text);
  EXPECT_TRUE(address) << text;
  return address.value_or(Address{});
}

inline kernel::Prefix net(std::string_view text) {
  const auto slash = text.find('/');
  const Address base = addr(text.substr(0, slash));
  const unsigned offset = base.is_ipv4() ? kernel::kIpv4PrefixOffset : 0;
  if (slash == std::string_view::npos) return {base, 128};
  return {base, offset + static_cast<unsigned>(std::stoul(std::string(text.substr(slash + 1))))};
}

inline std::string text_of(const Address& address) {
  std::array<char, bundle::kAddressTextSize> buffer{};
  return std::string(bundle::address_text(address, buffer));
}

struct StateBuilder {
  // Without rules nothing is routed: the three that every host has.
  StateBuilder() {
    state.links.push_back({1, "lo", true, true});
    for (const bool ipv4 : {true, false}) {
      rule(ipv4, 0, RT_TABLE_LOCAL);
      rule(ipv4, 32766, RT_TABLE_MAIN);
      rule(ipv4, 32767, RT_TABLE_DEFAULT);
    }
  }

  kernel::Link& link(std::uint32_t index, std::string name) {
    return state.links.emplace_back(kernel::Link{index, std::move(name), false, true});
  }

  // With the route to its network, as the kernel adds it.
  kernel::InterfaceAddress& address(std::uint32_t interface, std::string_view text) {
    kernel::InterfaceAddress added;
    added.interface_index = interface;
    added.address = addr(text.substr(0, text.find('/')));
    added.ipv4 = added.address.is_ipv4();
    added.network = net(text);
    if (added.network.length < 128) device_route(interface, text).protocol = RTPROT_KERNEL;
    return state.addresses.emplace_back(added);
  }

  kernel::Route& device_route(std::uint32_t interface, std::string_view destination) {
    kernel::Route& added = denying_route(destination);
    added.kind = kernel::RouteKind::kUnicast;
    added.next_hops = {{interface, std::nullopt, false, true}};
    return added;
  }

  kernel::Route& route(std::uint32_t interface, std::string_view destination,
                       std::string_view gateway) {
    kernel::Route& added = device_route(interface, destination);
    added.next_hops[0].gateway = addr(gateway);
    return added;
  }

  kernel::Route& denying_route(std::string_view destination) {
    kernel::Route added;
    added.kind = kernel::RouteKind::kDeny;
    added.destination = net(destination);
    added.ipv4 = added.destination.base.is_ipv4();
    added.table = RT_TABLE_MAIN;
    added.protocol = RTPROT_BOOT;
    return state.routes.emplace_back(added);
  }

  // In order of priority, as the kernel lists them.
  kernel::Rule& rule(bool ipv4, std::uint32_t priority, std::uint32_t table) {
    kernel::Rule added;
    added.ipv4 = ipv4;
    added.priority = priority;
    added.action = kernel::RuleAction::kTable;
    added.table = table;
    auto place = state.rules.begin();
    while (place != state.rules.end() && place->priority <= priority) ++place;
    return *state.rules.insert(place, added);
  }

  kernel::State state;
};

}  // namespace px::netlink::test
