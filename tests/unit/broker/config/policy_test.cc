// SPDX-License-Identifier: MIT
#include "broker/config/policy.h"

#include <gtest/gtest.h>

#include <chrono>

namespace px::broker {
namespace {

Address address(const char* text) {
  return *bundle::address_from_text(text);
}

Policy policy_of(const std::string& text) {
  auto policy = parse_policy(text, "px.yaml");
  if (policy) return *policy;
  for (const Diagnostic& diagnostic : policy.error()) ADD_FAILURE() << to_string(diagnostic);
  return {};
}

std::string complaints(const std::string& text) {
  const auto policy = parse_policy(text, "px.yaml");
  std::string lines;
  if (policy) return lines;
  for (const Diagnostic& diagnostic : policy.error()) lines += to_string(diagnostic) + "\n";
  return lines;
}

constexpr char kExample[] = R"(version: 1
paths:
  lan: { interface: eth0 }
  vpn:
    interface: "tun*"
    source: 10.8.0.2
  six: { source: "2001:db8::2" }
profiles:
  work:
    rules:
      - { to: [10.0.0.0/8, "2001:db8::/32"], port: [80, 8000-8080], proto: tcp, via: vpn }
      - { to: 203.0.113.9, action: block }
      - to: any
        proto: [tcp, udp]
        via: [six, lan]
    on-link: rules
    if-unavailable: next
  idle:
default-profile: work
broker: { on-loss: block }
)";

TEST(Policy, Paths) {
  const Policy policy = policy_of(kExample);
  ASSERT_EQ(policy.paths.size(), 3u);
  const PathSelector* vpn = policy.path("vpn");
  ASSERT_NE(vpn, nullptr);
  EXPECT_EQ(vpn->interface, "tun*");
  EXPECT_EQ(vpn->source, address("10.8.0.2"));
  EXPECT_EQ(vpn->position.file, "px.yaml");
  EXPECT_EQ(vpn->position.line, 4);
  EXPECT_EQ(vpn->position.column, 3);
  EXPECT_EQ(policy.path("lan")->source, std::nullopt);
  EXPECT_EQ(policy.path("six")->interface, "");
  EXPECT_EQ(policy.path("wifi"), nullptr);
}

TEST(Policy, Rules) {
  const Policy policy = policy_of(kExample);
  const Profile* work = policy.profile("work");
  ASSERT_NE(work, nullptr);
  ASSERT_EQ(work->rules.size(), 3u);
  const Rule& first = work->rules[0];
  ASSERT_EQ(first.to.size(), 2u);
  EXPECT_EQ(first.to[0].base, address("10.0.0.0"));
  EXPECT_EQ(first.to[0].prefix_length, 104u);
  EXPECT_EQ(first.to[1].prefix_length, 32u);
  EXPECT_EQ(first.to_text, "10.0.0.0/8, 2001:db8::/32");
  ASSERT_EQ(first.ports.size(), 2u);
  EXPECT_EQ(first.ports[0].low, 80);
  EXPECT_EQ(first.ports[0].high, 80);
  EXPECT_EQ(first.ports[1].low, 8000);
  EXPECT_EQ(first.ports[1].high, 8080);
  EXPECT_EQ(first.transports, std::vector{plan::Transport::kTcp});
  EXPECT_EQ(first.via, std::vector<std::string>{"vpn"});
  EXPECT_EQ(first.action, plan::RuleAction::kVia);
  EXPECT_EQ(first.position.line, 11);
  EXPECT_EQ(first.position.column, 9);
  const Rule& second = work->rules[1];
  EXPECT_EQ(second.action, plan::RuleAction::kBlock);
  EXPECT_TRUE(second.via.empty() && second.ports.empty() && second.transports.empty());
  EXPECT_EQ(second.to[0].prefix_length, 128u);
  const Rule& third = work->rules[2];
  EXPECT_EQ(third.via, (std::vector<std::string>{"six", "lan"}));
  EXPECT_EQ(third.transports, (std::vector{plan::Transport::kTcp, plan::Transport::kUdp}));
  EXPECT_EQ(third.to[0].prefix_length, 0u);
  EXPECT_EQ(third.position.line, 13);
}

TEST(Policy, RulesByName) {
  const Policy policy = policy_of(
      "version: 1\n"
      "paths:\n"
      "  lan: { interface: eth0 }\n"
      "profiles:\n"
      "  work:\n"
      "    rules:\n"
      "      - { to: [\"*.Corp.example\", 10.0.0.0/8, nas.], via: lan }\n"
      "      - { to: [nas, git.corp.example, 10.1.0.0/16], via: lan }\n"
      "      - { to: [corp.example, 10.1.0.0/16], via: lan }\n");
  const auto& rules = policy.profile("work")->rules;
  ASSERT_EQ(rules[0].to_names.size(), 2u);
  EXPECT_EQ(rules[0].to_names[0], *dns::NamePattern::from_text("*.corp.example"));
  EXPECT_EQ(rules[0].to_names[1], *dns::NamePattern::from_text("nas"));
  EXPECT_EQ(rules[0].to.size(), 1u);
  EXPECT_EQ(rules[0].to_text, "*.Corp.example, 10.0.0.0/8, nas.");
  ASSERT_EQ(policy.warnings.size(), 1u);
  EXPECT_EQ(policy.warnings[0].position.line, 8);
  EXPECT_NE(policy.warnings[0].message.find("never decides"), std::string::npos);
}

TEST(Policy, ProfilesAndDefaults) {
  const Policy policy = policy_of(kExample);
  const Profile* work = policy.profile("work");
  EXPECT_FALSE(work->on_link_system);
  EXPECT_EQ(work->if_unavailable, plan::IfUnavailable::kNext);
  EXPECT_EQ(work->position.line, 9);
  EXPECT_EQ(policy.default_profile, "work");
  EXPECT_EQ(policy.on_loss, plan::OnLoss::kBlock);
  EXPECT_EQ(policy.files, std::vector<std::string>{"px.yaml"});
  const Profile* idle = policy.profile("idle");
  ASSERT_NE(idle, nullptr);
  EXPECT_TRUE(idle->rules.empty());
  EXPECT_TRUE(idle->on_link_system);
  EXPECT_EQ(idle->if_unavailable, plan::IfUnavailable::kBlock);
  const Policy smallest = policy_of("version: 1");
  EXPECT_EQ(smallest.default_profile, std::nullopt);
  EXPECT_EQ(smallest.on_loss, plan::OnLoss::kLastKnown);
  EXPECT_EQ(policy_of("version: 1\ndefault-profile: none").default_profile, std::nullopt);
}

TEST(Policy, NextHopsAndServers) {
  const Policy policy = policy_of(R"(version: 1
paths:
  alt: { interface: eth0, gateway: 192.0.2.254 }
profiles:
  web:
    listen: { mode: received-source, via: [alt] }
  dns: { listen: received-interface }
  plain:
broker: { mark-mask: 15728640 }
)");
  const PathSelector* alt = policy.path("alt");
  ASSERT_NE(alt, nullptr);
  EXPECT_EQ(alt->gateway, address("192.0.2.254"));
  EXPECT_EQ(to_string({alt->gateway_position, "here"}), "px.yaml:3:36: here");
  const Listen& web = policy.profile("web")->listen;
  EXPECT_EQ(web.mode, plan::ListenMode::kReceivedSource);
  EXPECT_EQ(web.via, std::vector<std::string>{"alt"});
  EXPECT_EQ(to_string({web.position, "here"}), "px.yaml:6:13: here");
  EXPECT_EQ(policy.profile("dns")->listen.mode, plan::ListenMode::kReceivedInterface);
  EXPECT_EQ(policy.profile("plain")->listen.mode, plan::ListenMode::kSystem);
  EXPECT_EQ(policy.mark_mask, 0x00f00000u);
  EXPECT_EQ(policy_of("version: 1").mark_mask, kDefaultMarkMask);
}

TEST(Policy, DiagnosticText) {
  EXPECT_EQ(to_string({{"px.yaml", 3, 7}, "bad"}), "px.yaml:3:7: bad");
  EXPECT_EQ(to_string({{"px.yaml", 0, 0}, "cannot open"}), "px.yaml: cannot open");
}

TEST(Policy, HugeTextIsRefusedUnread) {
  EXPECT_EQ(complaints(std::string((2u << 20) + 1, '[')),
            "px.yaml: larger than 2 MiB, the largest policy file there can be\n");
}

TEST(Policy, DeepNestingIsRefused) {
  for (const char* opening : {"[", "{a: ", "- ", "? "}) {
    std::string text = "version: 1\npaths:\n  ";
    for (int i = 0; i < 100'000; ++i) text += opening;
    EXPECT_NE(complaints(text), "") << opening;
  }
}

TEST(Policy, TenThousandRulesLoadQuickly) {
  std::string text = "version: 1\npaths: { a: { interface: eth0 } }\nprofiles:\n  p:\n    rules:\n";
  for (int i = 0; i < 10'000; ++i) {
    text += "      - { to: 10." + std::to_string(i % 256) + "." + std::to_string(i / 256) +
            ".0/24, port: 80-90, proto: tcp, via: a }\n";
  }
  const auto start = std::chrono::steady_clock::now();
  const Policy policy = policy_of(text);
  const auto taken = std::chrono::steady_clock::now() - start;
  ASSERT_EQ(policy.profiles.size(), 1u);
  EXPECT_EQ(policy.profiles[0].rules.size(), 10'000u);
  // It takes a tenth of a second on an idle machine; the rest is for sanitizers. A loader that
  // is quadratic takes minutes.
  EXPECT_LT(taken, std::chrono::seconds(10));
}

}  // namespace
}  // namespace px::broker
