// SPDX-License-Identifier: MIT
// Hosts and policies for tests of the plan: two uplinks and a tunnel, IPv4 and IPv6.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "broker/config/policy.h"
#include "broker/host/snapshot.h"
#include "broker/publish/plan_builder.h"
#include "plan/plan.h"

namespace px::broker {

inline Address address(std::string_view text) {
  const auto parsed = bundle::address_from_text(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Address{});
}

// "10.0.0.0/8", "2001:db8::/32" or "any".
inline Network network(const std::string& text) {
  if (text == "any") return {};
  const auto slash = text.find('/');
  const Address base = address(text.substr(0, slash));
  const auto length = static_cast<unsigned>(std::stoul(text.substr(slash + 1)));
  return {base, base.is_ipv4() ? 96 + length : length};
}

inline plan::Range range(const std::string& text) {
  const Network wanted = network(text);
  plan::Range range{wanted.base, wanted.base};
  for (unsigned i = wanted.prefix_length; i < 128; ++i) {
    range.high.bytes[i / 8] = static_cast<std::uint8_t>(range.high.bytes[i / 8] | 0x80u >> i % 8);
  }
  return range;
}

inline Rule via(const std::string& to, std::vector<std::string> paths) {
  Rule rule;
  rule.to = {network(to)};
  rule.to_text = to;
  rule.via = std::move(paths);
  return rule;
}

inline Rule block(const std::string& to) {
  Rule rule;
  rule.to = {network(to)};
  rule.to_text = to;
  rule.action = plan::RuleAction::kBlock;
  return rule;
}

inline Rule as_the_host_routes(const std::string& to) {
  Rule rule = block(to);
  rule.action = plan::RuleAction::kSystem;
  return rule;
}

inline Entry entry(std::uint32_t interface_index, const std::string& interface,
                   const std::string& source, std::uint32_t reach) {
  Entry made;
  made.interface_index = interface_index;
  made.interface = interface;
  made.source = address(source);
  made.own_source = made.default_next_hop = made.kernel_source = true;
  made.link_up = made.source_valid = true;
  made.reach = reach;
  return made;
}

// lan (1) and lte (2) reach everything, vpn (3) the corporate networks alone.
inline Snapshot host() {
  Snapshot snapshot;
  snapshot.reach = {
      {range("0.0.0.0/0")}, {range("::/0")}, {range("10.0.0.0/8")}, {range("fd20::/16")}};
  snapshot.entries = {
      entry(1, "lan0", "192.0.2.10", 0),    entry(1, "lan0", "2001:db8:1::10", 1),
      entry(2, "lte0", "198.51.100.10", 0), entry(2, "lte0", "2001:db8:2::10", 1),
      entry(3, "vpn0", "10.8.0.2", 2),      entry(3, "vpn0", "fd20:8::2", 3),
  };
  for (std::size_t i = 0; i < snapshot.entries.size(); ++i) {
    snapshot.entries[i].number = static_cast<std::uint32_t>(i + 1);
  }
  snapshot.own = {range("10.8.0.2/32"), range("127.0.0.0/8"), range("192.0.2.10/32"),
                  range("198.51.100.10/32"), range("fd20:8::2/128")};
  std::sort(snapshot.own.begin(), snapshot.own.end(),
            [](const plan::Range& a, const plan::Range& b) { return a.low < b.low; });
  snapshot.on_link = {range("192.0.2.0/24")};
  return snapshot;
}

inline Policy policy_of(Profile profile) {
  Policy policy;
  for (const char* name : {"lan", "lte", "vpn"}) {
    PathSelector path;
    path.name = name;
    path.interface = std::string(name) + "0";
    policy.paths.push_back(path);
  }
  profile.name = "test";
  policy.profiles = {std::move(profile)};
  return policy;
}

inline Profile profile_of(std::vector<Rule> rules) {
  Profile profile;
  profile.rules = std::move(rules);
  return profile;
}

inline std::vector<std::byte> plan_of(const Policy& policy, const Snapshot& snapshot) {
  auto plan = build_plan(policy.profiles.front(), policy, snapshot);
  EXPECT_TRUE(plan) << (plan ? "" : plan.error().message);
  return plan ? std::move(*plan) : std::vector<std::byte>{};
}

inline plan::Call call_to(std::string_view destination, std::uint16_t port = 443,
                          plan::Transport transport = plan::Transport::kTcp) {
  plan::Call call;
  call.destination = address(destination);
  call.port = port;
  call.transport = transport;
  return call;
}

}  // namespace px::broker
