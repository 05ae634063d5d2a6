// SPDX-License-Identifier: MIT
// Next hops by rule and routes of servers: from policy and host to what routing must set up, to
// plans, and to what needs privileges (PX-2, PX-5).
#include <gmock/gmock.h>

#include <cstring>

#include "broker/publish/path_resolution.h"
#include "broker/publish/routing_needs.h"
#include "tests/unit/plan/plan_fixture.h"

namespace px::broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// lan0 with its own router .1 and another one, .254, in both families; lte0 with one router.
Snapshot host_with_routers() {
  Snapshot snapshot = host();
  const auto add = [&](std::size_t like, const std::string& router) {
    Entry other = snapshot.entries[like];
    other.next_hop = address(router);
    other.default_next_hop = false;
    other.needs_mark = true;
    other.number = static_cast<std::uint32_t>(snapshot.entries.size() + 1);
    snapshot.entries.push_back(other);
  };
  snapshot.entries[0].next_hop = address("192.0.2.1");
  snapshot.entries[1].next_hop = address("fe80::1");
  snapshot.entries[2].next_hop = address("198.51.100.1");
  snapshot.entries[3].next_hop = address("fe80::1");
  add(0, "192.0.2.254");
  add(1, "fe80::fe");
  return snapshot;
}

Policy policy_with_gateways(Profile profile) {
  Policy policy = policy_of(std::move(profile));
  const auto add = [&](const char* name, const char* interface, const char* gateway) {
    PathSelector path;
    path.name = name;
    path.interface = interface;
    path.gateway = address(gateway);
    path.gateway_position = {"px.yaml", static_cast<int>(policy.paths.size()) + 1, 30};
    policy.paths.push_back(path);
  };
  add("alt", "lan0", "192.0.2.254");
  add("alt6", "lan0", "fe80::fe");
  add("own", "lan0", "192.0.2.1");
  add("gone", "lan0", "192.0.2.99");
  return policy;
}

Profile server(plan::ListenMode mode, std::vector<std::string> paths = {}) {
  Profile profile;
  profile.listen.mode = mode;
  profile.listen.via = std::move(paths);
  profile.listen.position = {"px.yaml", 9, 13};
  return profile;
}

plan::PlanHeader header_of(const std::vector<std::byte>& plan) {
  plan::PlanHeader header;
  std::memcpy(&header, plan.data(), sizeof header);
  return header;
}

std::vector<std::byte> plan_with(const Policy& policy, const Marks& marks) {
  auto plan = build_plan(policy.profiles.front(), policy, host_with_routers(), marks);
  EXPECT_TRUE(plan);
  return plan ? *plan : std::vector<std::byte>{};
}

const Marks kMarks{{"via lan0 192.0.2.254", 0x01000000}, {"via lan0 fe80::fe", 0x02000000}};

TEST(NextHop, APathWithAGatewayMeansThatRouter) {
  const Policy policy = policy_with_gateways({});
  const Snapshot snapshot = host_with_routers();
  EXPECT_THAT(resolve_path(*policy.path("alt"), snapshot), ElementsAre(6));
  EXPECT_THAT(resolve_path(*policy.path("alt6"), snapshot), ElementsAre(7));
  EXPECT_THAT(resolve_path(*policy.path("own"), snapshot), ElementsAre(0));
  EXPECT_THAT(resolve_path(*policy.path("gone"), snapshot), IsEmpty());
  EXPECT_THAT(resolve_path(*policy.path("lan"), snapshot), ElementsAre(0, 1));
}

TEST(NextHop, AGatewayAloneMeansTheInterfacesThatHaveIt) {
  PathSelector path;
  path.gateway = address("192.0.2.254");
  EXPECT_THAT(resolve_path(path, host_with_routers()), ElementsAre(6));
}

TEST(NextHop, OwnSourcesArePreferredAndOthersTakenWhereThereAreNone) {
  Snapshot snapshot = host_with_routers();
  Entry crossed = snapshot.entries[6];
  crossed.source = address("198.51.100.10");
  crossed.own_source = false;
  snapshot.entries.push_back(crossed);
  PathSelector path;
  path.interface = "lan0";
  path.gateway = address("192.0.2.254");
  EXPECT_THAT(resolve_path(path, snapshot), ElementsAre(6));
  path.source = address("198.51.100.10");
  EXPECT_THAT(resolve_path(path, snapshot), ElementsAre(8));
  path.source.reset();
  snapshot.entries.erase(snapshot.entries.begin() + 6);
  EXPECT_THAT(resolve_path(path, snapshot), ElementsAre(7));
}

TEST(NextHop, TheEntryOfAnotherRouterCarriesItsMark) {
  const Policy policy = policy_with_gateways(profile_of({via("any", {"alt", "alt6"})}));
  const auto plan = plan_with(policy, kMarks);
  EXPECT_EQ(header_of(plan).mark_mask, 0xff000000u);
  const auto verdict = plan::decide(plan, call_to("8.8.8.8"));
  ASSERT_EQ(verdict.action, plan::Action::kVia);
  EXPECT_EQ(verdict.entry.mark, 0x01000000u);
  EXPECT_EQ(verdict.entry.number, 7u);
  EXPECT_EQ(plan::decide(plan, call_to("2001:db8:9::1")).entry.mark, 0x02000000u);
}

TEST(NextHop, WithoutItsMarkTheEntryIsNotAvailable) {
  const Policy policy = policy_with_gateways(profile_of({via("any", {"alt", "lte"})}));
  const auto verdict = plan::decide(plan_with(policy, {}), call_to("8.8.8.8"));
  EXPECT_STREQ(verdict.entry.interface, "lte0");
  EXPECT_EQ(header_of(plan_with(policy, {})).mark_mask, 0u);
}

TEST(NextHop, TheInterfacesOwnRouterNeedsNoMark) {
  const Policy policy = policy_with_gateways(profile_of({via("any", {"own"})}));
  const auto verdict = plan::decide(plan_with(policy, {}), call_to("8.8.8.8"));
  ASSERT_EQ(verdict.action, plan::Action::kVia);
  EXPECT_EQ(verdict.entry.mark, 0u);
  EXPECT_THAT(demand_of(policy, host_with_routers()).tables, IsEmpty());
}

// Whatever the interface itself has routes to: the mark's table has a default route.
TEST(NextHop, AMarkReachesEverything) {
  Snapshot snapshot = host_with_routers();
  snapshot.entries[6].reach = 2;
  const Policy policy = policy_with_gateways(profile_of({via("any", {"alt"})}));
  const auto plan = build_plan(policy.profiles.front(), policy, snapshot, kMarks);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan::decide(*plan, call_to("8.8.8.8")).action, plan::Action::kVia);
}

// PX-2, PX-7: the router of specific routes alone.
TEST(NextHop, AMarkMakesARouterAWayOutForAnyDestination) {
  Snapshot snapshot = host_with_routers();
  snapshot.entries[0].certain = snapshot.entries[0].mark_leads_further = true;
  snapshot.entries[0].reach = 2;
  const Policy policy = policy_with_gateways(profile_of({via("any", {"own"})}));
  const auto decided = [&](const Marks& marks, const char* destination) {
    const auto plan = build_plan(policy.profiles.front(), policy, snapshot, marks);
    return plan::decide(plan.value(), call_to(destination));
  };
  EXPECT_EQ(decided({{"via lan0 192.0.2.1", 0x01000000}}, "8.8.8.8").entry.mark, 0x01000000u);
  EXPECT_EQ(decided({}, "8.8.8.8").action, plan::Action::kFail);
  EXPECT_EQ(decided({}, "10.1.1.1").entry.mark, 0u);
  EXPECT_EQ(demand_of(policy, snapshot).tables.at(0).key, "via lan0 192.0.2.1");
  EXPECT_THAT(without_marks(policy, snapshot, "no right"), IsEmpty());
}

// The source lives on lte0, where answers may come in.
TEST(NextHop, AnotherInterfacesSourceGoesByAMarkWithoutADevice) {
  Snapshot snapshot = host_with_routers();
  snapshot.entries[0].source = address("198.51.100.10");
  snapshot.entries[0].own_source = false;
  snapshot.entries[0].certain = true;
  snapshot.entries[0].reach = 3;
  snapshot.entries[0].interface_reach = 0;
  Policy policy = policy_of(profile_of({via("any", {"crossed"})}));
  PathSelector path;
  path.name = "crossed";
  path.interface = "lan0";
  path.source = address("198.51.100.10");
  policy.paths.push_back(path);
  const Marks marks{{"via lan0 192.0.2.1", 0x01000000}};
  auto plan = build_plan(policy.profiles.front(), policy, snapshot, marks);
  const auto entry = plan::decide(plan.value(), call_to("8.8.8.8")).entry;
  EXPECT_EQ(entry.mark, 0x01000000u);
  EXPECT_TRUE((entry.flags & plan::kEntryNoDevice) != 0);
  EXPECT_FALSE((entry.flags & plan::kEntryMarkOptional) != 0) << "a device has other routes";
  EXPECT_EQ(demand_of(policy, snapshot).tables.at(0).ipv4,
            (TableRoute{1, address("192.0.2.1"), false}));
  EXPECT_THAT(without_marks(policy, snapshot, "no right"), IsEmpty());
  snapshot.entries[0].reach = 0;
  plan = build_plan(policy.profiles.front(), policy, snapshot, {});
  EXPECT_EQ(plan::decide(plan.value(), call_to("8.8.8.8")).entry.flags & plan::kEntryNoDevice, 0u);
  snapshot.entries[0].certain = false;
  EXPECT_THAT(demand_of(policy, snapshot).tables, IsEmpty()) << "a mark has one next hop";
}

TEST(NextHop, RoutesBySourceAreMarkedForSocketsThatCannotNameIt) {
  Snapshot snapshot = host_with_routers();
  snapshot.entries[1].certain = snapshot.entries[1].routed_by_source = true;
  const Policy policy = policy_of(profile_of({via("any", {"lan"})}));
  const Marks marks{{"via lan0 fe80::1", 0x01000000}};
  const auto decided = [&](const Marks& given, bool source_fixed) {
    const auto plan = build_plan(policy.profiles.front(), policy, snapshot, given);
    plan::Call call = call_to("2001:db8:9::1");
    call.source_fixed = source_fixed;
    return plan::decide(plan.value(), call);
  };
  EXPECT_EQ(decided(marks, true).entry.mark, 0x01000000u);
  EXPECT_EQ(decided(marks, false).entry.mark, 0u);
  EXPECT_EQ(decided(marks, false).action, plan::Action::kVia);
  EXPECT_EQ(decided({}, true).action, plan::Action::kFail);
  EXPECT_EQ(decided({}, false).action, plan::Action::kVia);
}

// Two routers of one interface in one list: the better matching source of the second must not win
// over the first.
TEST(NextHop, TheFirstRouterOfAListIsTakenWhateverTheSources) {
  Snapshot snapshot = host_with_routers();
  snapshot.entries[1].source = address("2001:db8:9::10");
  const Policy policy = policy_with_gateways(profile_of({via("any", {"alt6", "lan"})}));
  const auto plan = build_plan(policy.profiles.front(), policy, snapshot, kMarks);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan::decide(*plan, call_to("2001:db8:9::1")).entry.number, 8u);
}

TEST(Demand, HasATableForEachRouterThatARuleGoesBy) {
  const Policy policy =
      policy_with_gateways(profile_of({via("10.0.0.0/8", {"alt", "lan"}), via("any", {"alt"})}));
  const auto demand = demand_of(policy, host_with_routers());
  ASSERT_EQ(demand.tables.size(), 1u);
  const RoutingTable& table = demand.tables[0];
  EXPECT_EQ(table.key, "via lan0 192.0.2.254");
  EXPECT_EQ(table.ipv4, (TableRoute{1, address("192.0.2.254"), false}));
  EXPECT_EQ(table.ipv6, std::nullopt);
  EXPECT_TRUE(demand.received.empty());
}

TEST(Demand, IsEmptyForAPolicyWithoutNextHops) {
  EXPECT_TRUE(demand_of(policy_of(profile_of({via("any", {"lan"})})), host()).empty());
  EXPECT_TRUE(demand_of(policy_with_gateways({}), host_with_routers()).empty()) << "unused paths";
}

TEST(Demand, KeepsTheTableOfALinkThatIsDownWithoutARoute) {
  Snapshot snapshot = host_with_routers();
  snapshot.entries[6].link_up = false;
  const auto demand = demand_of(policy_with_gateways(profile_of({via("any", {"alt"})})), snapshot);
  ASSERT_EQ(demand.tables.size(), 1u);
  EXPECT_EQ(demand.tables[0].ipv4, std::nullopt);
}

TEST(Demand, KeepsTheTableOfARouterThatIsGone) {
  const auto keys = [](const Policy& policy) {
    std::vector<std::string> keys;
    for (const RoutingTable& table : demand_of(policy, host()).tables) {
      EXPECT_TRUE(!table.ipv4 && !table.ipv6);
      keys.push_back(table.key);
    }
    return keys;
  };
  Policy policy = policy_with_gateways(profile_of({via("any", {"alt"})}));
  EXPECT_THAT(keys(policy), ElementsAre("via lan0 192.0.2.254"));
  policy.paths[3].interface = "lan*";
  EXPECT_THAT(keys(policy), IsEmpty()) << "its interface is not known";
}

TEST(Demand, AnswersOfReceivedSourceTakeTheFirstUsableEntryOfEachFamily) {
  Snapshot snapshot = host_with_routers();
  snapshot.entries[3].link_up = false;
  const auto profile = server(plan::ListenMode::kReceivedSource, {"lte", "lan"});
  const auto demand = demand_of(policy_of(profile), snapshot);
  ASSERT_EQ(demand.tables.size(), 1u);
  EXPECT_EQ(demand.tables[0].key, "listen test");
  EXPECT_EQ(demand.tables[0].ipv4, (TableRoute{2, address("198.51.100.1"), true}));
  EXPECT_EQ(demand.tables[0].ipv6, (TableRoute{1, address("fe80::1"), true}));
}

TEST(Demand, ReceivedInterfaceHasATableForEachInterface) {
  const auto demand =
      demand_of(policy_of(server(plan::ListenMode::kReceivedInterface)), host_with_routers());
  EXPECT_THAT(demand.received, ElementsAre(Pair(1, "received lan0"), Pair(2, "received lte0"),
                                           Pair(3, "received vpn0")));
  ASSERT_EQ(demand.tables.size(), 3u);
  EXPECT_EQ(demand.tables[0].key, "received lan0");
  EXPECT_EQ(demand.tables[0].ipv4, (TableRoute{1, address("192.0.2.1"), true}));
  EXPECT_EQ(demand.tables[0].ipv6, (TableRoute{1, address("fe80::1"), true}));
  EXPECT_EQ(demand.tables[2].ipv4, (TableRoute{3, std::nullopt, true}));
}

TEST(Servers, ThePlanSaysModeMarkAndEntries) {
  const auto by_source =
      policy_with_gateways(server(plan::ListenMode::kReceivedSource, {"alt", "lan"}));
  Marks marks = kMarks;
  marks["listen test"] = 0x07000000;
  marks[kReceivedKey] = 0x08000000;
  auto plan = plan_with(by_source, marks);
  EXPECT_EQ(header_of(plan).listen, plan::ListenMode::kReceivedSource);
  EXPECT_EQ(header_of(plan).listen_mark, 0x07000000u);
  const auto entry = plan::listen_entry(plan, call_to("8.8.8.8"));
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->number, 7u);
  plan = plan_with(policy_of(server(plan::ListenMode::kReceivedInterface)), marks);
  EXPECT_EQ(header_of(plan).listen, plan::ListenMode::kReceivedInterface);
  EXPECT_EQ(header_of(plan).listen_mark, 0x08000000u);
  EXPECT_EQ(header_of(plan).listen_via_count, 0u);
  plan = plan_with(policy_of(Profile{}), marks);
  EXPECT_EQ(header_of(plan).listen, plan::ListenMode::kSystem);
  EXPECT_EQ(header_of(plan).listen_mark, 0u);
}

TEST(Privilege, IsNeededWhereAGatewayIsNotTheInterfacesOwn) {
  const Snapshot snapshot = host_with_routers();
  const auto needs = [&](std::vector<std::string> paths) {
    return without_marks(policy_with_gateways(profile_of({via("any", std::move(paths))})), snapshot,
                         "no right");
  };
  EXPECT_THAT(needs({"lan", "own"}), IsEmpty());
  EXPECT_THAT(needs({"gone"}), IsEmpty());
  const auto complaints = needs({"lan", "alt"});
  ASSERT_EQ(complaints.size(), 1u);
  EXPECT_EQ(to_string(complaints[0]),
            "px.yaml:4:30: a next hop of its own cannot be had: no right; or leave 'gateway' out");
}

TEST(Privilege, IsNeededForWaysOfServers) {
  const auto needs = [](const Profile& profile) {
    return without_marks(policy_of(profile), host_with_routers(), "no right");
  };
  EXPECT_THAT(needs(server(plan::ListenMode::kSystem)), IsEmpty());
  ASSERT_EQ(needs(server(plan::ListenMode::kReceivedInterface)).size(), 1u);
  EXPECT_EQ(to_string(needs(server(plan::ListenMode::kReceivedSource, {"lan"})).at(0)),
            "px.yaml:9:13: a server's egress cannot be chosen: no right; or leave 'listen' "
            "out");
}

}  // namespace
}  // namespace px::broker
