// SPDX-License-Identifier: MIT
// The decision by the names that a destination was given for, over plans of the broker's own
// builder.
#include <gtest/gtest.h>

#include <initializer_list>
#include <random>

#include "broker/config/name_pattern_text.h"
#include "tests/unit/plan/plan_fixture.h"

namespace px::broker {
namespace {

dns::NamePattern pattern(const std::string& text) {
  return *parse_name_pattern(text);
}

Rule named(Rule rule, std::initializer_list<const char*> names) {
  rule.to.clear();
  for (const char* name : names) rule.to_names.push_back(pattern(name));
  return rule;
}

dns::NameChain chain_of(std::initializer_list<const char*> names) {
  dns::NameChain chain;
  for (const char* name : names) chain.add(*dns::Name::from_text(name));
  return chain;
}

std::string chosen(const plan::Verdict& verdict) {
  if (verdict.action == plan::Action::kVia) return verdict.entry.interface;
  if (verdict.action == plan::Action::kRefuse) return "EACCES";
  return verdict.action == plan::Action::kFail ? "ENETUNREACH" : "system";
}

std::string chosen(const Profile& profile, plan::Call call,
                   std::initializer_list<const char*> names) {
  const dns::NameChain chain = chain_of(names);
  call.names = &chain;
  return chosen(plan::decide(plan_of(policy_of(profile), host()), call));
}

std::string chosen(const Profile& profile, const char* destination,
                   std::initializer_list<const char*> names) {
  return chosen(profile, call_to(destination), names);
}

TEST(NameRules, AnAddressTakesTheRuleOfItsNames) {
  const Profile profile =
      profile_of({named(via("any", {"vpn"}), {"*.corp.example"}),
                  named(block("any"), {"ads.example", "*.ads.example"}), via("any", {"lan"})});
  EXPECT_EQ(chosen(profile, "10.1.2.3", {"git.corp.example"}), "vpn0");
  EXPECT_EQ(chosen(profile, "10.1.2.3", {"a.b.CORP.example"}), "vpn0");
  EXPECT_EQ(chosen(profile, "10.1.2.3", {"corp.example"}), "lan0");
  EXPECT_EQ(chosen(profile, "10.1.2.3", {"www.ads.example"}), "EACCES");
  EXPECT_EQ(chosen(profile, "10.1.2.3", {"ads.example"}), "EACCES");
  EXPECT_EQ(chosen(profile, "10.1.2.3", {"www.example"}), "lan0");
  EXPECT_EQ(chosen(profile, "10.1.2.3", {}), "lan0");
  EXPECT_EQ(chosen(plan::decide(plan_of(policy_of(profile), host()), call_to("10.1.2.3"))), "lan0");
}

TEST(NameRules, EveryNameOfTheChainCounts) {
  const Profile profile =
      profile_of({named(via("any", {"vpn"}), {"*.corp.example"}), via("any", {"lan"})});
  EXPECT_EQ(chosen(profile, "10.1.2.3", {"www.example", "git.corp.example", "cdn.net"}), "vpn0");
  EXPECT_EQ(chosen(profile, "10.1.2.3", {"www.example", "x.cdn.net", "git.corp.example"}), "vpn0");
}

TEST(NameRules, StandInOneOrderWithTheOthers) {
  Rule both = named(via("any", {"lte"}), {"*.corp.example"});
  both.to.push_back(network("10.2.0.0/16"));
  const Profile profile = profile_of({block("10.1.9.0/24"), both, via("10.0.0.0/8", {"vpn"}),
                                      named(block("any"), {"git.corp.example", "late.example"})});
  EXPECT_EQ(chosen(profile, "10.1.9.1", {"git.corp.example"}), "EACCES") << "an earlier network";
  EXPECT_EQ(chosen(profile, "10.1.2.3", {"git.corp.example"}), "lte0");
  EXPECT_EQ(chosen(profile, "10.2.2.3", {}), "lte0") << "a network beside names";
  EXPECT_EQ(chosen(profile, "10.3.2.3", {"late.example"}), "vpn0") << "a later name";
  EXPECT_EQ(chosen(profile, "8.8.8.8", {"late.example"}), "EACCES");
}

TEST(NameRules, PortsAndTransportsHoldAsWell) {
  Rule https = named(via("any", {"lte"}), {"*.corp.example"});
  https.ports = {{443, 443}};
  https.transports = {plan::Transport::kTcp};
  const Profile profile = profile_of({https, via("any", {"lan"})});
  plan::Call call = call_to("8.8.8.8");
  call.port = 443;
  EXPECT_EQ(chosen(profile, call, {"git.corp.example"}), "lte0");
  call.transport = plan::Transport::kUdp;
  EXPECT_EQ(chosen(profile, call, {"git.corp.example"}), "lan0");
  call.transport = plan::Transport::kTcp;
  call.port = 80;
  EXPECT_EQ(chosen(profile, call, {"git.corp.example"}), "lan0");
}

// vpn has no route to 8.8.8.8.
TEST(NameRules, IfUnavailableIsAsElsewhere) {
  Profile profile =
      profile_of({named(via("any", {"vpn"}), {"*.corp.example"}),
                  named(via("any", {"lte"}), {"git.corp.example"}), via("any", {"lan"})});
  EXPECT_EQ(chosen(profile, "8.8.8.8", {"git.corp.example"}), "ENETUNREACH");
  profile.if_unavailable = plan::IfUnavailable::kNext;
  EXPECT_EQ(chosen(profile, "8.8.8.8", {"git.corp.example"}), "lte0");
  EXPECT_EQ(chosen(profile, "8.8.8.8", {"www.corp.example"}), "lan0");
  profile.if_unavailable = plan::IfUnavailable::kSystem;
  EXPECT_EQ(chosen(profile, "8.8.8.8", {"git.corp.example"}), "system");
}

TEST(NameRules, LoopbackOwnAndOnLinkComeFirst) {
  const Profile profile = profile_of({named(block("any"), {"*.corp.example"})});
  for (const char* destination : {"127.0.0.1", "192.0.2.10", "192.0.2.77"}) {
    EXPECT_EQ(chosen(profile, destination, {"git.corp.example"}), "system") << destination;
  }
}

TEST(NameRules, APlanSaysWhetherItHasAny) {
  const auto count = [](const Profile& profile) {
    const auto bytes = plan_of(policy_of(profile), host());
    return reinterpret_cast<const plan::PlanHeader*>(bytes.data())->name_nodes.count;
  };
  EXPECT_EQ(count(profile_of({via("any", {"lan"})})), 0u);
  EXPECT_EQ(count(profile_of({named(block("any"), {"a.example", "*.example", "A.example."})})), 2u);
}

// Few labels, so that patterns nest and rules overlap.
std::string any_name(std::mt19937& random) {
  const auto below = [&](unsigned limit) {
    return std::uniform_int_distribution<unsigned>(0, limit - 1)(random);
  };
  std::string name(1, static_cast<char>('a' + below(3)));
  for (unsigned i = below(4); i > 0; --i) {
    name = std::string(1 + below(2), static_cast<char>('a' + below(3))) + "." + name;
  }
  return name;
}

TEST(NameRules, AgreeWithOneRuleAfterAnother) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    std::vector<Rule> rules;
    for (int i = 0; i < 40; ++i) {
      Rule rule = named(via("any", {i % 2 == 0 ? "lan" : "lte"}), {});
      for (int each = 0; each < 2; ++each) {
        rule.to_names.push_back(pattern((random() % 2 == 0 ? "*." : "") + any_name(random)));
      }
      rules.push_back(rule);
    }
    const auto plan = plan_of(policy_of(profile_of(rules)), host());
    for (int i = 0; i < 100; ++i) {
      const std::string text = any_name(random);
      const dns::Name name = *dns::Name::from_text(text);
      dns::NameChain chain;
      chain.add(name);
      plan::Call call = call_to("8.8.8.8");
      call.names = &chain;
      const auto first = std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) {
        return rule.to_names[0].matches(name) || rule.to_names[1].matches(name);
      });
      const std::string expected = first == rules.end() ? "system" : first->via.front() + "0";
      ASSERT_EQ(chosen(plan::decide(plan, call)), expected) << "seed " << seed << " " << text;
    }
  }
}

}  // namespace
}  // namespace px::broker
