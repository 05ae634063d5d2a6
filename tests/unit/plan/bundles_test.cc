// SPDX-License-Identifier: MIT
// What a policy says of bundles, as programs read it in the plan that the broker's own builder made
// (PB-4, PB-9).
#include "plan/bundles.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/unit/plan/plan_fixture.h"

namespace px::broker {
namespace {

using plan::BundleEntries;
using plan::BundleTransport;

constexpr std::string_view kPolicy = R"(version: 1
bundles:
  db: { hosts: [db1.example, 10.0.0.5] }
  Web: { hosts: "<a.example,b.example|10.0.0.7>", alias: [www.example.com, WWW2.Example.com.] }
  mail: { alias: mail.example.com }
profiles:
  all: { bundle: { transports: [sctp, mptcp, tcp], stagger: 250ms, entries: never, sockets: all } }
  plain:
)";

Policy policy(std::string_view text) {
  const auto parsed = parse_policy(text, "px.yaml");
  EXPECT_TRUE(parsed) << to_string(parsed.error().front());
  return parsed.value_or(Policy{});
}

std::vector<std::byte> plan_for(std::string_view text, std::size_t profile = 0) {
  const Policy parsed = policy(text);
  return build_plan(parsed.profiles.at(profile), parsed, host()).value_or(std::vector<std::byte>{});
}

std::string notation(std::span<const std::byte> plan, std::string_view name) {
  const auto found = plan::bundle_named(plan, name);
  if (!found) return "-";
  return (found->implicit ? "alias " : "") + std::string(found->text());
}

TEST(BundlePlan, HoldsWhatTheProfileSays) {
  const auto settings = plan::bundle_settings(plan_for(kPolicy));
  EXPECT_EQ(settings.transports[0], BundleTransport::kSctp);
  EXPECT_EQ(settings.transports[1], BundleTransport::kMptcp);
  EXPECT_EQ(settings.transports[2], BundleTransport::kTcp);
  EXPECT_EQ(settings.stagger_ms, 250u);
  EXPECT_EQ(settings.entries, BundleEntries::kNever);
  EXPECT_EQ(settings.all_sockets, 1);
}

TEST(BundlePlan, OfAProfileThatSaysNothingIsTcpAlone) {
  const auto settings = plan::bundle_settings(plan_for(kPolicy, 1));
  EXPECT_EQ(settings.transports[0], BundleTransport::kTcp);
  EXPECT_EQ(settings.transports[1], BundleTransport::kNone);
  EXPECT_EQ(settings.stagger_ms, 0u);
  EXPECT_EQ(settings.entries, BundleEntries::kByProgram);
  EXPECT_EQ(settings.all_sockets, 0);
  EXPECT_EQ(plan::bundle_settings({}).transports[0], BundleTransport::kNone) << "no plan at all";
}

TEST(BundlePlan, StaggerInSeconds) {
  const auto plan = plan_for("version: 1\nprofiles: { a: { bundle: { stagger: 2s } } }\n");
  EXPECT_EQ(plan::bundle_settings(plan).stagger_ms, 2000u);
}

TEST(BundlePlan, FindsNamesInAnyCaseWithOrWithoutTheLastDot) {
  const auto plan = plan_for(kPolicy);
  for (const char* name : {"db.bundle", "DB.Bundle", "db.bundle."}) {
    EXPECT_EQ(notation(plan, name), "<db1.example,10.0.0.5>") << name;
  }
  EXPECT_EQ(notation(plan, "web.bundle"), "<a.example,b.example|10.0.0.7>");
  EXPECT_EQ(notation(plan, "www.example.com"), "alias <a.example,b.example|10.0.0.7>");
  EXPECT_EQ(notation(plan, "www2.EXAMPLE.com"), "alias <a.example,b.example|10.0.0.7>");
  EXPECT_EQ(notation(plan, "mail.example.com."), "alias ");
}

TEST(BundlePlan, AllProfilesKnowTheSameNames) {
  EXPECT_EQ(notation(plan_for(kPolicy, 1), "db.bundle"), "<db1.example,10.0.0.5>");
}

TEST(BundlePlan, OtherNamesAreNone) {
  const auto plan = plan_for(kPolicy);
  for (const char* name : {"", ".", "db", "mail.bundle", "mail", "b.bundle", "xdb.bundle",
                           "example.com", "10.0.0.5", "*", "db.bundle..", "<db1.example>"}) {
    EXPECT_EQ(notation(plan, name), "-") << name;
  }
  EXPECT_EQ(notation(plan, std::string(300, 'a')), "-");
}

TEST(BundlePlan, AnyNameButAddressesAndBundles) {
  const auto plan = plan_for(R"(version: 1
bundles:
  all: { alias: any }
  db: { hosts: [a, b], alias: db.example }
profiles: { work: }
)");
  EXPECT_EQ(notation(plan, "some.example"), "alias ");
  EXPECT_EQ(notation(plan, "host"), "alias ");
  EXPECT_EQ(notation(plan, "db.example"), "alias <a,b>");
  for (const char* name : {"10.0.0.1", "127.1", "0x7f000001", "2001:db8::1", "fe80::1%eth0",
                           "<a,b>", "a.and.b.bundle", "other.bundle", "", "*", "a b"}) {
    EXPECT_EQ(notation(plan, name), "-") << name;
  }
}

TEST(BundlePlan, FindsEachOfManyNames) {
  std::string text = "version: 1\nbundles:\n";
  for (int i = 0; i < 2000; ++i) {
    const std::string number = std::to_string(i);
    text += "  b" + number + ": { hosts: [h" + number + ", 10.0.0.1], alias: w" + number +
            ".example }\n";
  }
  const auto plan = plan_for(text + "profiles: { work: }\n");
  for (int i = 0; i < 2000; ++i) {
    const std::string number = std::to_string(i);
    EXPECT_EQ(notation(plan, "b" + number + ".bundle"), "<h" + number + ",10.0.0.1>");
    EXPECT_EQ(notation(plan, "W" + number + ".Example"), "alias <h" + number + ",10.0.0.1>");
  }
}

TEST(BundlePlan, AnyBytesAreSafe) {
  auto plan = plan_for(kPolicy);
  std::mt19937 random(4);
  for (int i = 0; i < 20000; ++i) {
    auto broken = plan;
    for (int change = 0; change < 4; ++change) {
      broken[random() % broken.size()] = static_cast<std::byte>(random());
    }
    for (const char* name : {"db.bundle", "www.example.com"}) {
      const auto found = plan::bundle_named(broken, name);
      if (found) {
        EXPECT_LE(found->length, bundle::kMostNotation);
      }
    }
    const auto settings = plan::bundle_settings(broken);
    for (const auto transport : settings.transports) EXPECT_LE(transport, BundleTransport::kTcp);
    EXPECT_LE(settings.entries, BundleEntries::kNever);
    EXPECT_LE(settings.stagger_ms, plan::kLongestStaggerMs);
  }
}

TEST(BundlePlan, ValuesOutOfRangeAreBroughtIntoIt) {
  auto plan = plan_for(kPolicy);
  plan::PlanHeader header;
  std::memcpy(&header, plan.data(), sizeof header);
  header.bundle.transports[1] = static_cast<BundleTransport>(9);
  header.bundle.entries = static_cast<BundleEntries>(9);
  header.bundle.stagger_ms = 1;
  std::memcpy(plan.data(), &header, sizeof header);
  auto settings = plan::bundle_settings(plan);
  EXPECT_EQ(settings.transports[0], BundleTransport::kSctp);
  EXPECT_EQ(settings.transports[1], BundleTransport::kNone);
  EXPECT_EQ(settings.transports[2], BundleTransport::kNone);
  EXPECT_EQ(settings.entries, BundleEntries::kByProgram);
  EXPECT_EQ(settings.stagger_ms, plan::kShortestStaggerMs);
}

TEST(BundlePlan, OfARemovedProfileStillSaysTcp) {
  const auto removed = build_removed_plan(host());
  EXPECT_EQ(plan::bundle_settings(removed).transports[0], BundleTransport::kTcp);
  EXPECT_EQ(notation(removed, "db.bundle"), "-");
}

}  // namespace
}  // namespace px::broker
