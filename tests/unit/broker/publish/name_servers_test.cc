// SPDX-License-Identifier: MIT
#include "broker/publish/name_servers.h"

#include <gmock/gmock.h>

#include "broker/publish/policy_warnings.h"
#include "broker/publish/routing_needs.h"
#include "tests/unit/plan/plan_fixture.h"

namespace px::broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Profile asking(const std::vector<std::string>& servers, std::vector<std::string> paths) {
  Profile profile;
  NameGroup& group = profile.names.groups.emplace_back();
  for (const std::string& server : servers) group.servers.push_back({address(server), 53});
  group.via = std::move(paths);
  return profile;
}

// "SERVER: INTERFACE SOURCE", or why not.
std::vector<std::string> egresses(const Policy& policy, const Snapshot& snapshot,
                                  const Marks& marks = {}) {
  std::vector<std::string> texts;
  const NameGroup& group = policy.profiles.front().names.groups.front();
  for (const auto& server : name_servers_of(group, policy, snapshot, marks)) {
    std::array<char, bundle::kAddressTextSize> buffer{};
    texts.push_back(text_of(server.server) + ": " +
                    (server.entry
                         ? server.entry->interface + std::string(" ") +
                               std::string(bundle::address_text(server.entry->source, buffer))
                         : server.why));
  }
  return texts;
}

TEST(NameServers, EachIsAskedByTheFirstPathThatReachesIt) {
  const Policy policy =
      policy_of(asking({"10.0.0.53", "203.0.113.53", "fd20::53"}, {"vpn", "lte"}));
  EXPECT_THAT(egresses(policy, host()),
              ElementsAre("10.0.0.53: vpn0 10.8.0.2", "203.0.113.53: lte0 198.51.100.10",
                          "fd20::53: vpn0 fd20:8::2"));
}

TEST(NameServers, ADirectlyConnectedOneGoesByThePath) {
  EXPECT_THAT(egresses(policy_of(asking({"192.0.2.53"}, {"lte"})), host()),
              ElementsAre("192.0.2.53: lte0 198.51.100.10"));
}

TEST(NameServers, WithoutAWayItIsNotAskedAnyOther) {
  Snapshot snapshot = host();
  const Policy policy = policy_of(asking({"10.0.0.53", "203.0.113.53"}, {"vpn"}));
  EXPECT_THAT(
      egresses(policy, snapshot),
      ElementsAre("10.0.0.53: vpn0 10.8.0.2", "203.0.113.53: cannot be reached through vpn now"));
  EXPECT_THAT(warnings_of(policy, snapshot), IsEmpty()) << "one server is enough";
  for (Entry& entry : snapshot.entries) entry.link_up = entry.interface != "vpn0";
  EXPECT_THAT(egresses(policy, snapshot),
              ElementsAre("10.0.0.53: cannot be reached through vpn now",
                          "203.0.113.53: cannot be reached through vpn now"));
  const auto warnings = warnings_of(policy, snapshot);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings.front().message,
            "profile 'test' can look up no name now: 10.0.0.53 cannot be reached through vpn now; "
            "203.0.113.53 cannot be reached through vpn now");
}

TEST(NameServers, ThisHostIsNotAsked) {
  EXPECT_THAT(egresses(policy_of(asking({"192.0.2.10"}, {"lan"})), host()),
              ElementsAre("192.0.2.10: is an address of this host"));
}

TEST(NameServers, WithoutAnyInThePolicyTheyAreThoseOfThePathsLinks) {
  Snapshot snapshot = host();
  const Policy policy = policy_of(asking({}, {"vpn", "lte"}));
  EXPECT_THAT(egresses(policy, snapshot), IsEmpty());
  EXPECT_THAT(warnings_of(policy, snapshot), IsEmpty());
  snapshot.link_names["vpn0"] = {{{address("10.0.0.53"), 5353}}, {"corp.example"}, "resolvconf"};
  snapshot.link_names["lte0"] = {{{address("10.0.0.54")}}, {"lte.example", "corp.example"}, "x"};
  snapshot.link_names["lan0"] = {{{address("192.0.2.53")}}, {"lan.example"}, "x"};
  EXPECT_THAT(egresses(policy, snapshot),
              ElementsAre("10.0.0.53:5353: vpn0 10.8.0.2", "10.0.0.54: lte0 198.51.100.10"))
      << "each by its own link, also where the first path leads to both";
  const NameGroup& group = policy.profiles.front().names.groups.front();
  EXPECT_THAT(learned_domains(group, policy, snapshot), ElementsAre("corp.example", "lte.example"));
  EXPECT_EQ(name_servers_of(group, policy, snapshot, {}).front().from, "resolvconf");
}

TEST(NameServers, AnAddressThatBelongsToNoLinkIsAskedWhereThePathLeadsToIt) {
  Snapshot snapshot = host();
  snapshot.link_names[""] = {{{address("203.0.113.53")},
                              {address("192.0.2.53")},
                              {address("192.0.2.10")},
                              {address("fe80::1")}},
                             {"host.example"},
                             "/etc/resolv.conf"};
  snapshot.networks.push_back({"lan0", address("192.0.2.0"), 96 + 24});
  const auto lte = policy_of(asking({}, {"lte"}));
  EXPECT_THAT(egresses(lte, snapshot), ElementsAre("203.0.113.53: lte0 198.51.100.10"));
  EXPECT_THAT(egresses(policy_of(asking({}, {"vpn"})), snapshot), IsEmpty());
  EXPECT_THAT(learned_domains(lte.profiles.front().names.groups.front(), lte, snapshot), IsEmpty());
}

TEST(NameServers, AGatewayTakesAMark) {
  Snapshot snapshot = host();
  snapshot.entries[0].next_hop = address("192.0.2.1");
  Entry other = snapshot.entries[0];
  other.next_hop = address("192.0.2.254");
  other.default_next_hop = false;
  other.needs_mark = true;
  snapshot.entries.push_back(other);
  Policy policy = policy_of(asking({"203.0.113.53"}, {"alt"}));
  PathSelector path;
  path.name = "alt";
  path.interface = "lan0";
  path.gateway = address("192.0.2.254");
  policy.paths.push_back(path);
  const RoutingDemand demand = demand_of(policy, snapshot);
  ASSERT_EQ(demand.tables.size(), 1u) << "nobody but the lookups uses the gateway";
  EXPECT_THAT(egresses(policy, snapshot),
              ElementsAre("203.0.113.53: cannot be reached through alt now"));
  const auto found = name_servers_of(policy.profiles.front().names.groups.front(), policy, snapshot,
                                     {{demand.tables.front().key, 0x01000000}});
  ASSERT_TRUE(found.front().entry);
  EXPECT_EQ(found.front().entry->mark, 0x01000000u);
  EXPECT_THAT(warnings_of(policy, snapshot), IsEmpty());
}

TEST(NameServers, APlanSaysWhoseTheNamesAre) {
  const auto settings = [](const Policy& policy) {
    return reinterpret_cast<const plan::PlanHeader*>(plan_of(policy, host()).data())->names;
  };
  Profile profile = asking({"10.0.0.53", "10.0.0.54"}, {"vpn"});
  profile.names.groups.front().timeout_s = 3;
  const auto own = settings(policy_of(profile));
  EXPECT_EQ(own.from, plan::NamesFrom::kProfile);
  EXPECT_EQ(own.servers, 2);
  EXPECT_EQ(own.timeout_s, 3);
  EXPECT_EQ(settings(policy_of({})).from, plan::NamesFrom::kHost);
  const auto removed = build_removed_plan(host());
  EXPECT_EQ(reinterpret_cast<const plan::PlanHeader*>(removed.data())->names.from,
            plan::NamesFrom::kProfile)
      << "a profile that is gone fails closed";
}

TEST(NameServers, TextIsAsThePolicyHasIt) {
  EXPECT_EQ(text_of(NameServer{address("10.0.0.53"), 53}), "10.0.0.53");
  EXPECT_EQ(text_of(NameServer{address("10.0.0.53"), 5353}), "10.0.0.53:5353");
  EXPECT_EQ(text_of(NameServer{address("fd00::53"), 5353}), "[fd00::53]:5353");
  EXPECT_EQ(text_of(NameServer{address("10.0.0.53"), 853, "dns.example"}),
            "tls://dns.example@10.0.0.53");
  EXPECT_EQ(text_of(NameServer{address("fd00::53"), 53, "dns.example"}),
            "tls://dns.example@[fd00::53]:53");
}

}  // namespace
}  // namespace px::broker
