// SPDX-License-Identifier: MIT
#include "broker/control/doctor.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "broker/host/own_routing.h"
#include "tests/unit/broker/host/host_fixture.h"

namespace px::broker {
namespace {

using nlohmann::json;
using test::addr;

constexpr std::uint32_t kMask = 0xff000000;

struct Host : test::StateBuilder {
  Host() {
    link(2, "eth0");
    link(3, "eth1");
    route(2, "0.0.0.0/0", "192.0.2.1");
    device_route(3, "198.51.100.0/24");
  }

  // Everything as it should be, with one next hop on eth1.
  HostChecks checks() {
    HostChecks checks;
    checks.demand = {{{"eth1 router", TableRoute{3, addr("198.51.100.1"), false}, {}}}, {}};
    const auto book = *MarkAllocator{}.with(keys_of(checks.demand), kMask);
    checks.marks = book.marks(kMask);
    checks.mark_mask = kMask;
    checks.wanted = wanted_state(checks.demand, book, kMask, state);
    for (const OwnRoute& own : checks.wanted.routes) install(own);
    for (const OwnRule& own : checks.wanted.rules) install(own);
    checks.kernel = state;
    checks.filters = {{"eth0", 0, false}, {"eth1", 0, false}};
    checks.interfaces = {"eth0", "eth1"};
    return checks;
  }

  void install(const OwnRoute& own) {
    kernel::Route route;
    route.kind = own.unreachable() ? kernel::RouteKind::kDeny : kernel::RouteKind::kUnicast;
    route.ipv4 = own.ipv4;
    route.destination = {own.destination, own.length};
    route.table = own.table;
    route.metric = own.metric;
    route.protocol = kOwnProtocol;
    if (!own.unreachable()) route.next_hops = {{own.interface_index, own.next_hop, own.onlink}};
    state.routes.push_back(route);
  }

  void install(const OwnRule& own) {
    auto& added = rule(own.ipv4, own.priority, own.table.value_or(0));
    if (!own.table) added.action = kernel::RuleAction::kDeny;
    added.mark = own.mark;
    added.mark_mask = own.mask;
    added.invert = own.inverted;
    added.protocol = kOwnProtocol;
  }
};

// "SEVERITY: WHAT; DO" of each finding.
std::vector<std::string> findings(const HostChecks& checks) {
  std::vector<std::string> texts;
  const json report = doctor_report(checks);
  for (const json& each : report.at("findings")) {
    texts.push_back(each.at("severity").get<std::string>() + ": " +
                    each.at("what").get<std::string>() + "; " +
                    (each.at("do").is_null() ? "" : each.at("do").get<std::string>()));
  }
  return texts;
}

bool holds(const std::vector<std::string>& texts, const std::string& one, const std::string& two) {
  for (const std::string& text : texts) {
    if (text.find(one) != std::string::npos && text.find(two) != std::string::npos) return true;
  }
  return false;
}

TEST(Doctor, AHealthyHostHasNoFindings) {
  const json report = doctor_report(Host().checks());
  EXPECT_TRUE(report.at("healthy")) << report.dump(2);
  EXPECT_TRUE(report.at("findings").empty()) << report.dump(2);
  EXPECT_TRUE(report.at("foreign_rules").empty()) << report.dump(2);
  const json& hop = report.at("next_hops").at(0);
  EXPECT_EQ(hop.at("mark"), "0x1000000");
  EXPECT_EQ(hop.at("table"), kOwnTableBase + 1);
  EXPECT_EQ(hop.at("ipv4"), "198.51.100.1 on eth1");
  EXPECT_TRUE(hop.at("ipv6").is_null());
}

TEST(Doctor, WhatWasTakenAwayIsAWarning) {
  HostChecks checks = Host().checks();
  std::erase_if(checks.kernel.rules, [](const kernel::Rule& rule) { return is_own(rule); });
  EXPECT_TRUE(holds(findings(checks), "warning: 4 of px's routes and rules", "pxctl reload"));
}

TEST(Doctor, ARouteOfALinkThatIsDownIsANote) {
  Host host;
  HostChecks checks = host.checks();
  checks.kernel.links[2].up = false;
  std::erase_if(checks.kernel.routes, [](const kernel::Route& route) {
    return is_own(route) && !route.next_hops.empty();
  });
  EXPECT_TRUE(holds(findings(checks), "note: 1 of px's routes", "down"));
  EXPECT_TRUE(doctor_report(checks).at("healthy"));
}

TEST(Doctor, WhatIsLeftOverIsAWarningUnlessItIsAnotherBrokers) {
  HostChecks checks = Host().checks();
  checks.demand = {};
  checks.wanted = {};
  EXPECT_TRUE(holds(findings(checks), "warning: 7 routes and rules of px are left", ""));
  checks.no_next_hops = "another broker (pid 7) manages next hops";
  EXPECT_TRUE(holds(findings(checks), "note: 7 routes and rules", "another broker"));
  EXPECT_TRUE(doctor_report(checks).at("healthy"));
}

TEST(Doctor, ForeignRulesAreShownAndOverlappingMarksNamed) {
  Host host;
  auto& harmless = host.rule(true, 6000, 77);
  harmless.mark = 0x5;
  harmless.mark_mask = 0xff;
  EXPECT_TRUE(findings(host.checks()).empty());
  // All bits are compared, and none of px's is set.
  auto& whole = host.rule(true, 6500, 78);
  whole.mark = 0x1;
  whole.mark_mask = 0xffffffff;
  EXPECT_TRUE(findings(host.checks()).empty());
  auto& overlapping = host.rule(true, 7000, 78);
  overlapping.mark = 0x2000001;
  overlapping.mark_mask = 0xffffffff;
  const HostChecks checks = host.checks();
  EXPECT_TRUE(
      holds(findings(checks), "7000: ipv4 fwmark 0x2000001/0xffffffff lookup 78", "mark-mask"));
  EXPECT_EQ(doctor_report(checks).at("foreign_rules").size(), 3U);
}

TEST(Doctor, ARuleForAllButAnotherMarkTakesPxsPackets) {
  Host host;
  auto& rule = host.rule(true, 1, 78);
  rule.mark = 0xca6c;
  rule.mark_mask = 0xffffffff;
  rule.invert = true;
  EXPECT_TRUE(holds(findings(host.checks()), "note: another's rule decides before px's",
                    "1: ipv4 not fwmark 0xca6c/0xffffffff"));
}

TEST(Doctor, ARuleBeforePxsIsANote) {
  Host host;
  host.rule(true, 100, 99).source = test::net("192.0.2.0/24");
  EXPECT_TRUE(findings(host.checks()).empty()) << "px's stand before it";
  host.rule(true, 1, 99).source = test::net("192.0.2.0/24");
  EXPECT_TRUE(holds(findings(host.checks()), "note: another's rule decides before px's", "1:"));
}

TEST(Doctor, StrictFiltersAreNamedWherePxSendsAnotherWay) {
  HostChecks checks = Host().checks();
  checks.filters = {{"eth0", 1, false}, {"eth1", 1, false}, {"eth2", 1, false}};
  const auto texts = findings(checks);
  EXPECT_EQ(texts.size(), 1U);
  EXPECT_TRUE(holds(texts, "warning: eth1 drops", "sysctl -w net.ipv4.conf.eth1.rp_filter=2"));
}

TEST(Doctor, AnNftTableThatWasTakenAwayIsAWarning) {
  HostChecks checks = Host().checks();
  checks.demand.received = {{3, "eth1 router"}};
  checks.nft_table = true;
  EXPECT_FALSE(holds(findings(checks), "nftables", ""));
  checks.nft_table = false;
  EXPECT_TRUE(holds(findings(checks), "warning: the nftables table", "pxctl reload"));
}

TEST(Doctor, WhyThereAreNoNextHopsIsSaid) {
  HostChecks checks;
  checks.no_next_hops = "the broker runs without CAP_NET_ADMIN";
  EXPECT_TRUE(holds(findings(checks), "note: next hops", "CAP_NET_ADMIN"));
}

}  // namespace
}  // namespace px::broker
