// SPDX-License-Identifier: MIT
// Questions that programs send themselves, over plans that the broker's own builder made.
#include <gmock/gmock.h>

#include "tests/unit/plan/plan_fixture.h"

namespace px::broker {
namespace {

using plan::Action;
using plan::Reason;

constexpr auto kUdp = plan::Transport::kUdp;

Profile redirecting_to(const std::vector<std::string>& servers, bool redirect = true) {
  Profile profile;
  NameGroup& group = profile.names.groups.emplace_back();
  for (const std::string& server : servers) group.servers.push_back({address(server), 53});
  group.via = {"vpn"};
  group.redirect = redirect;
  return profile;
}

std::string host_text(const Address& address) {
  std::array<char, bundle::kAddressTextSize> buffer;
  return std::string(bundle::address_text(address, buffer));
}

// Where a question for there goes: "-" to there, "nobody" fails.
std::string target(const std::vector<std::byte>& plan, const char* asked, bool ipv4_only = false,
                   plan::Transport transport = kUdp) {
  const auto found = plan::redirect(plan, call_to(asked, 53, transport), ipv4_only);
  if (!found.applies) return "-";
  return found.server ? host_text(found.server->address) : "nobody";
}

Snapshot host_with_servers() {
  Snapshot snapshot = host();
  snapshot.link_names[""] = {
      {{address("203.0.113.53")}, {address("2001:db8:ffff::53")}}, {}, "/etc/resolv.conf"};
  return snapshot;
}

TEST(Redirect, TheHostAndItsServersAreRedirected) {
  const auto plan = plan_of(policy_of(redirecting_to({"10.0.0.53"})), host_with_servers());
  for (const char* asked :
       {"127.0.0.53", "::1", "0.0.0.0", "::", "192.0.2.10", "203.0.113.53", "2001:db8:ffff::53"}) {
    EXPECT_EQ(target(plan, asked), "10.0.0.53") << asked;
    EXPECT_EQ(target(plan, asked, false, plan::Transport::kTcp), "10.0.0.53") << asked;
    EXPECT_EQ(target(plan, asked, false, plan::Transport::kOther), "-") << asked;
  }
  EXPECT_EQ(target(plan, "203.0.113.54"), "-");
  EXPECT_EQ(target(plan, "10.0.0.53"), "-");
  EXPECT_FALSE(plan::redirect(plan, call_to("127.0.0.53", 853, kUdp), false).applies);
}

TEST(Redirect, OnlyWhereTheProfileSaysSo) {
  const auto plan = plan_of(policy_of(redirecting_to({"10.0.0.53"}, false)), host_with_servers());
  EXPECT_EQ(target(plan, "127.0.0.53"), "-");
}

TEST(Redirect, TheFirstServerThatIsAvailableInTheFamilyThatWasAsked) {
  Snapshot snapshot = host();
  const Policy policy =
      policy_of(redirecting_to({"192.0.2.10", "203.0.113.53", "10.0.0.53", "fd20::53"}));
  auto plan = plan_of(policy, snapshot);
  EXPECT_EQ(target(plan, "127.0.0.53"), "10.0.0.53") << "the others are not, through vpn";
  EXPECT_EQ(target(plan, "::1"), "fd20::53");
  snapshot.entries[4].link_up = false;
  plan = plan_of(policy, snapshot);
  EXPECT_EQ(target(plan, "127.0.0.53"), "fd20::53");
  EXPECT_EQ(target(plan, "127.0.0.53", true), "nobody");
  snapshot.entries[5].link_up = false;
  EXPECT_EQ(target(plan_of(policy, snapshot), "::1"), "nobody");
}

TEST(Redirect, ASocketWithAnotherSourceOfTheProgramsFails) {
  const auto plan = plan_of(policy_of(redirecting_to({"10.0.0.53"})), host());
  plan::Call call = call_to("127.0.0.53", 53, kUdp);
  const Address other = address("192.0.2.10");
  call.source = &other;
  EXPECT_TRUE(plan::redirect(plan, call, true).applies);
  EXPECT_FALSE(plan::redirect(plan, call, true).server);
  const Address own = address("10.8.0.2");
  call.source = &own;
  EXPECT_TRUE(plan::redirect(plan, call, true).server);
}

TEST(Redirect, AProfileThatIsRemovedAsksNobody) {
  EXPECT_EQ(target(build_removed_plan(host_with_servers()), "127.0.0.53"), "nobody");
  EXPECT_EQ(target(build_removed_plan(host_with_servers()), "203.0.113.53"), "nobody");
}

TEST(NameServerOfTheProfile, IsCalledByItsOwnEgress) {
  Profile profile = redirecting_to({"10.0.0.53"}, false);
  profile.rules = {via("any", {"lan"})};
  auto plan = plan_of(policy_of(profile), host());
  for (const auto transport : {kUdp, plan::Transport::kTcp}) {
    const auto verdict = plan::decide(plan, call_to("10.0.0.53", 53, transport));
    EXPECT_EQ(verdict.reason, Reason::kNameServer);
    EXPECT_STREQ(verdict.entry.interface, "vpn0");
  }
  EXPECT_STREQ(plan::decide(plan, call_to("10.0.0.53", 443, kUdp)).entry.interface, "lan0");
  EXPECT_STREQ(plan::decide(plan, call_to("10.0.0.54", 53, kUdp)).entry.interface, "lan0");
  Snapshot down = host();
  down.entries[4].link_up = false;
  EXPECT_EQ(plan::decide(plan_of(policy_of(profile), down), call_to("10.0.0.53", 53, kUdp)).action,
            Action::kFail);
  profile.rules = {block("10.0.0.0/8")};
  plan = plan_of(policy_of(profile), host());
  EXPECT_EQ(plan::decide(plan, call_to("10.0.0.53", 53, kUdp)).action, Action::kRefuse);
}

TEST(NameServerOfTheProfile, AServerByTlsIsNoneForPlainQuestions) {
  Profile profile = redirecting_to({"10.0.0.53", "10.0.0.54"}, false);
  profile.names.groups.front().servers.front().tls_name = "dns.example";
  std::array<bundle::Endpoint, 3> servers;
  const auto plan = plan_of(policy_of(profile), host());
  ASSERT_EQ(plan::name_servers(plan, servers), 1u);
  EXPECT_EQ(host_text(servers[0].address), "10.0.0.54");
  EXPECT_EQ(plan::name_servers(plan, std::span(servers).first(0)), 0u);
}

TEST(NameServerOfTheProfile, EntriesWithNamesHaveNoneForAllNames) {
  Profile profile = redirecting_to({"10.0.0.53"}, false);
  profile.names.groups.front().names.push_back(*dns::NamePattern::from_text("corp.example"));
  std::array<bundle::Endpoint, 3> servers;
  EXPECT_EQ(plan::name_servers(plan_of(policy_of(profile), host()), servers), 0u);
}

}  // namespace
}  // namespace px::broker
