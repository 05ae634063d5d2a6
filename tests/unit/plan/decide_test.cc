// SPDX-License-Identifier: MIT
// The decision over plans that the broker's own builder made (PX-4, PX-6).
#include <gmock/gmock.h>

#include <random>

#include "tests/unit/plan/plan_fixture.h"

namespace px::broker {
namespace {

using plan::Action;
using plan::Reason;

plan::Verdict decide(const Policy& policy, const Snapshot& snapshot, const plan::Call& call) {
  return plan::decide(plan_of(policy, snapshot), call);
}

std::string egress_of(const plan::Verdict& verdict) {
  switch (verdict.action) {
    case Action::kSystem:
      return "system";
    case Action::kRefuse:
      return "EACCES";
    case Action::kFail:
      return "ENETUNREACH";
    case Action::kVia:
      return verdict.entry.interface;
  }
  return "?";
}

std::string egress_of(const Profile& profile, std::string_view destination,
                      const Snapshot& snapshot = host()) {
  return egress_of(decide(policy_of(profile), snapshot, call_to(destination)));
}

TEST(Decide, FirstMatchWins) {
  const Profile profile = profile_of({via("10.0.0.0/8", {"vpn"}), block("203.0.113.0/24"),
                                      via("10.1.0.0/16", {"lte"}), via("any", {"lan"})});
  EXPECT_EQ(egress_of(profile, "10.1.2.3"), "vpn0");
  EXPECT_EQ(egress_of(profile, "203.0.113.9"), "EACCES");
  EXPECT_EQ(egress_of(profile, "8.8.8.8"), "lan0");
  EXPECT_EQ(egress_of(profile, "2001:db8:ffff::1"), "lan0");
}

TEST(Decide, ActionSystemEndsTheSearchWhateverComesLater) {
  Profile profile = profile_of({as_the_host_routes("10.1.0.0/16"), via("10.0.0.0/8", {"vpn"}),
                                as_the_host_routes("2001:db8:ffff::/48"), block("any")});
  for (const auto unavailable : {plan::IfUnavailable::kBlock, plan::IfUnavailable::kNext}) {
    profile.if_unavailable = unavailable;
    EXPECT_EQ(egress_of(profile, "10.1.2.3"), "system");
    EXPECT_EQ(egress_of(profile, "10.2.2.3"), "vpn0");
    EXPECT_EQ(egress_of(profile, "2001:db8:ffff::1"), "system");
    EXPECT_EQ(egress_of(profile, "8.8.8.8"), "EACCES");
  }
  const auto verdict = decide(policy_of(profile), host(), call_to("10.1.2.3"));
  EXPECT_EQ(verdict.reason, Reason::kRule);
  EXPECT_EQ(verdict.rule, 0u);
}

TEST(Decide, AnActionThatThisReaderDoesNotKnowRefuses) {
  Profile profile = profile_of({block("any")});
  profile.rules[0].action = static_cast<plan::RuleAction>(PX_RULE_SYSTEM + 1);
  EXPECT_EQ(egress_of(profile, "8.8.8.8"), "EACCES");
}

TEST(Decide, TheMoreSpecificRuleCanComeFirst) {
  const Profile profile = profile_of({via("10.1.0.0/16", {"lte"}), via("10.0.0.0/8", {"vpn"})});
  EXPECT_EQ(egress_of(profile, "10.1.2.3"), "lte0");
  EXPECT_EQ(egress_of(profile, "10.2.2.3"), "vpn0");
  EXPECT_EQ(egress_of(profile, "8.8.8.8"), "system");
}

TEST(Decide, FamiliesDoNotMix) {
  const Profile profile = profile_of({via("0.0.0.0/0", {"lan"}), via("::/0", {"lte"})});
  EXPECT_EQ(egress_of(profile, "8.8.8.8"), "lan0");
  EXPECT_EQ(egress_of(profile, "2001:db8:ffff::1"), "lte0");
  // v4-mapped destinations are IPv4.
  EXPECT_EQ(egress_of(profile, "::ffff:8.8.8.8"), "lan0");
}

TEST(Decide, ExemptBeforeAnyRule) {
  const Profile profile = profile_of({block("any")});
  for (const char* exempt : {"127.0.0.1", "127.42.0.1", "::1", "0.0.0.0", "::", "10.8.0.2"}) {
    EXPECT_EQ(egress_of(profile, exempt), "system") << exempt;
  }
  EXPECT_EQ(egress_of(profile, "8.8.8.8"), "EACCES");
}

TEST(Decide, OnLinkIsTheSystemsUnlessRulesAreAskedFor) {
  Profile profile = profile_of({via("any", {"lte"})});
  EXPECT_EQ(egress_of(profile, "192.0.2.77"), "system");
  profile.on_link_system = false;
  EXPECT_EQ(egress_of(profile, "192.0.2.77"), "lte0");
}

TEST(Decide, PortsAndTransports) {
  Rule web = via("any", {"vpn"});
  web.ports = {{80, 80}, {443, 443}, {8000, 8099}};
  web.transports = {plan::Transport::kTcp};
  Rule dns = block("any");
  dns.ports = {{53, 53}};
  dns.transports = {plan::Transport::kUdp};
  const Policy policy = policy_of(profile_of({web, dns, via("any", {"lan"})}));
  const auto way_of = [&](std::uint16_t port, plan::Transport transport) {
    return egress_of(decide(policy, host(), call_to("10.0.0.1", port, transport)));
  };
  EXPECT_EQ(way_of(80, plan::Transport::kTcp), "vpn0");
  EXPECT_EQ(way_of(81, plan::Transport::kTcp), "lan0");
  EXPECT_EQ(way_of(8000, plan::Transport::kTcp), "vpn0");
  EXPECT_EQ(way_of(8099, plan::Transport::kTcp), "vpn0");
  EXPECT_EQ(way_of(8100, plan::Transport::kTcp), "lan0");
  EXPECT_EQ(way_of(80, plan::Transport::kUdp), "lan0");
  EXPECT_EQ(way_of(53, plan::Transport::kUdp), "EACCES");
  EXPECT_EQ(way_of(53, plan::Transport::kOther), "lan0");
  EXPECT_EQ(way_of(65535, plan::Transport::kTcp), "lan0");
}

TEST(Decide, IcmpIsAProtocolOfItsOwn) {
  Rule pings = via("any", {"lte"});
  pings.transports = {plan::Transport::kIcmp};
  const Policy policy = policy_of(profile_of({pings, via("any", {"lan"})}));
  const auto way_of = [&](plan::Transport transport) {
    return egress_of(decide(policy, host(), call_to("10.0.0.1", 0, transport)));
  };
  EXPECT_EQ(way_of(plan::Transport::kIcmp), "lte0");
  for (const auto other : {plan::Transport::kTcp, plan::Transport::kUdp, plan::Transport::kOther}) {
    EXPECT_EQ(way_of(other), "lan0");
  }
}

TEST(Decide, TheNextEntryOfViaWhenOneIsNotAvailable) {
  const Profile profile = profile_of({via("any", {"vpn", "lan", "lte"})});
  Snapshot snapshot = host();
  EXPECT_EQ(egress_of(profile, "10.0.0.1", snapshot), "vpn0");
  EXPECT_EQ(egress_of(profile, "8.8.8.8", snapshot), "lan0") << "vpn0 has no route there";
  snapshot.entries[0].link_up = false;
  EXPECT_EQ(egress_of(profile, "8.8.8.8", snapshot), "lte0");
  snapshot.entries[2].source_valid = false;
  EXPECT_EQ(egress_of(profile, "8.8.8.8", snapshot), "ENETUNREACH");
  snapshot.entries.clear();
  EXPECT_EQ(egress_of(profile, "8.8.8.8", snapshot), "ENETUNREACH");
}

TEST(Decide, IfUnavailable) {
  Profile profile = profile_of({via("any", {"vpn"}), via("any", {"vpn", "lte"})});
  profile.rules[0].ports = {{443, 443}};
  EXPECT_EQ(egress_of(profile, "8.8.8.8"), "ENETUNREACH");
  profile.if_unavailable = plan::IfUnavailable::kNext;
  EXPECT_EQ(egress_of(profile, "8.8.8.8"), "lte0");
  profile.rules.pop_back();
  EXPECT_EQ(egress_of(profile, "8.8.8.8"), "system") << "no further rule matches";
  profile.if_unavailable = plan::IfUnavailable::kSystem;
  EXPECT_EQ(egress_of(profile, "8.8.8.8"), "system");
}

TEST(Decide, AScopedDestinationLeavesOnlyByItsInterface) {
  Snapshot snapshot = host();
  Profile profile = profile_of({via("any", {"lan", "lte"})});
  plan::Call call = call_to("2001:db8:ffff::1");
  call.scope = 2;
  EXPECT_EQ(egress_of(decide(policy_of(profile), snapshot, call)), "lte0");
  call.scope = 9;
  EXPECT_EQ(egress_of(decide(policy_of(profile), snapshot, call)), "ENETUNREACH");
}

TEST(Decide, AFixedSourceTakesOnlyWhatTheKernelWouldChoose) {
  Snapshot snapshot = host();
  snapshot.entries[0].kernel_source = false;
  plan::Call call = call_to("8.8.8.8");
  call.source_fixed = true;
  EXPECT_EQ(egress_of(decide(policy_of(profile_of({via("any", {"lan", "lte"})})), snapshot, call)),
            "lte0");
}

TEST(Decide, AProgramsSourceIsSteeredWhereTheRuleHasIt) {
  const Snapshot snapshot = host();
  const auto decided = [&](const char* source, std::vector<Rule> rules) {
    const plan::Address from = *bundle::address_from_text(source);
    plan::Call call = call_to("8.8.8.8");
    call.source = &from;
    return egress_of(decide(policy_of(profile_of(std::move(rules))), snapshot, call));
  };
  std::string lte;
  for (const Entry& each : snapshot.entries) {
    std::array<char, bundle::kAddressTextSize> buffer;
    if (each.interface == "lte0" && each.source.is_ipv4()) {
      lte = bundle::address_text(each.source, buffer);
    }
  }
  EXPECT_EQ(decided(lte.c_str(), {via("any", {"lan", "lte"})}), "lte0") << "not the first";
  EXPECT_EQ(decided(lte.c_str(), {via("any", {"lan"})}), "system");
  EXPECT_EQ(decided("192.0.2.200", {via("any", {"lan", "lte"})}), "system");
}

TEST(Decide, TheSourceNearestToAnIpv6Destination) {
  Snapshot snapshot = host();
  Entry second = entry(1, "lan0", "fd99::10", 1);
  second.kernel_source = false;
  second.number = 7;
  snapshot.entries.push_back(second);
  const Policy policy = policy_of(profile_of({via("any", {"lan"})}));
  EXPECT_EQ(decide(policy, snapshot, call_to("2001:db8:ffff::1")).entry.number, 2u);
  EXPECT_EQ(decide(policy, snapshot, call_to("fd99:1::1")).entry.number, 7u);
}

TEST(Decide, RemovedProfilesFailClosed) {
  const auto plan = build_removed_plan(host());
  EXPECT_EQ(plan::decide(plan, call_to("8.8.8.8")).reason, Reason::kProfileRemoved);
  EXPECT_EQ(egress_of(plan::decide(plan, call_to("8.8.8.8"))), "ENETUNREACH");
  EXPECT_EQ(egress_of(plan::decide(plan, call_to("127.0.0.1"))), "system");
}

// What the trie must agree with: the rules one after another.
std::string reference(const Profile& profile, const plan::Call& call) {
  for (const Rule& rule : profile.rules) {
    const bool to = std::any_of(rule.to.begin(), rule.to.end(), [&](const Network& each) {
      return bundle::common_prefix_length(each.base, call.destination) >= each.prefix_length;
    });
    const bool port = rule.ports.empty() ||
                      std::any_of(rule.ports.begin(), rule.ports.end(), [&](const PortRange& each) {
                        return each.low <= call.port && call.port <= each.high;
                      });
    const bool transport =
        rule.transports.empty() || std::find(rule.transports.begin(), rule.transports.end(),
                                             call.transport) != rule.transports.end();
    if (!to || !port || !transport) continue;
    if (rule.action == plan::RuleAction::kBlock) return "EACCES";
    if (rule.action == plan::RuleAction::kSystem) return "system";
    if (rule.via.front() != "vpn") return rule.via.front() + "0";
    if (profile.if_unavailable != plan::IfUnavailable::kNext) return "ENETUNREACH";
  }
  return "system";
}

class RandomRules {
 public:
  explicit RandomRules(unsigned seed) : random_(seed) {}

  unsigned below(unsigned limit) {
    return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_);
  }
  // Few distinct bits, so that networks nest and rules overlap.
  Address any_address() {
    Address made = below(2) == 0 ? address("172.16.0.0") : address("2001:db9::");
    for (std::size_t i = 13; i < 16; ++i) made.bytes[i] = static_cast<std::uint8_t>(below(3) * 85);
    return made;
  }
  Network any_network() {
    Address base = any_address();
    const unsigned length = base.is_ipv4() ? 96 + below(33) : below(129);
    for (unsigned i = length; i < 128; ++i) {
      base.bytes[i / 8] = static_cast<std::uint8_t>(base.bytes[i / 8] & ~(0x80u >> i % 8));
    }
    return {base, length};
  }
  Rule rule() {
    Rule made;
    for (unsigned i = 0; i <= below(3); ++i) made.to.push_back(any_network());
    for (unsigned i = below(3); i > 0; --i) {
      const auto low = static_cast<std::uint16_t>(1 + below(20));
      made.ports.push_back({low, static_cast<std::uint16_t>(low + below(5))});
    }
    for (unsigned i = below(3); i > 0; --i) {
      made.transports.push_back(static_cast<plan::Transport>(below(plan::kTransportCount)));
    }
    // vpn has no route to any destination here.
    if (below(4) == 0) {
      made.action = below(2) == 0 ? plan::RuleAction::kBlock : plan::RuleAction::kSystem;
    } else {
      made.via = {std::array{"lan", "lte", "vpn"}[below(3)]};
    }
    return made;
  }

 private:
  std::mt19937 random_;
};

TEST(Decide, AgreesWithOneRuleAfterAnother) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    RandomRules random(seed);
    Profile profile;
    for (unsigned i = 0; i < 40; ++i) profile.rules.push_back(random.rule());
    if (seed % 2 == 0) profile.if_unavailable = plan::IfUnavailable::kNext;
    const Policy policy = policy_of(profile);
    const auto plan = plan_of(policy, host());
    for (unsigned i = 0; i < 200; ++i) {
      plan::Call call;
      call.destination = random.any_address();
      call.port = static_cast<std::uint16_t>(random.below(28));
      call.transport = static_cast<plan::Transport>(random.below(plan::kTransportCount));
      ASSERT_EQ(egress_of(plan::decide(plan, call)), reference(policy.profiles.front(), call))
          << "seed " << seed << " call " << i;
    }
  }
}

}  // namespace
}  // namespace px::broker
