// SPDX-License-Identifier: MIT
#include "plan/bundle_wire.h"

#include <gtest/gtest.h>

#include <cstring>

namespace px::plan {
namespace {

HealthReport outcome() {
  HealthReport outcome{};
  outcome.header = header_of(MessageType::kHealthReport, sizeof outcome);
  outcome.address = bundle::ipv4_address(0x0a000001);
  outcome.port = 80;
  fill_text(outcome.profile, "work");
  return outcome;
}

template <typename Message>
std::span<const std::byte> bytes_of(const Message& message) {
  return std::as_bytes(std::span(&message, 1));
}

TEST(BundleWire, AnOutcomeIsRead) {
  const auto read = parse_health_report(bytes_of(outcome()));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->address, outcome().address);
  EXPECT_STREQ(read->profile, "work");
}

TEST(BundleWire, AnythingElseIsNot) {
  const HealthReport good = outcome();
  EXPECT_FALSE(parse_health_report(bytes_of(good).first(sizeof good - 1)));
  EXPECT_FALSE(parse_health_report({}));
  HealthReport bad = good;
  bad.header.type = MessageType::kMark;
  EXPECT_FALSE(parse_health_report(bytes_of(bad)));
  bad = good;
  bad.port = 0;
  EXPECT_FALSE(parse_health_report(bytes_of(bad)));
  bad = good;
  bad.alive = 2;
  EXPECT_FALSE(parse_health_report(bytes_of(bad)));
  bad = good;
  std::memset(bad.profile, 'a', sizeof bad.profile);
  EXPECT_FALSE(parse_health_report(bytes_of(bad))) << "a name without an end";
  bad = good;
  fill_text(bad.profile, "../etc");
  EXPECT_FALSE(parse_health_report(bytes_of(bad)));
}

TEST(BundleWire, ARequestForPathsIsRead) {
  ExtraPaths good{};
  good.header = header_of(MessageType::kExtraPaths, sizeof good);
  good.port = 80;
  good.count = 2;
  good.members[1].address = bundle::ipv4_address(0x0a000002);
  const auto read = parse_extra_paths(bytes_of(good));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->members[1].address, bundle::ipv4_address(0x0a000002));
  EXPECT_FALSE(parse_extra_paths(bytes_of(good).first(sizeof good - 1)));
  EXPECT_FALSE(parse_health_report(bytes_of(good)));
  ExtraPaths bad = good;
  bad.count = 0;
  EXPECT_FALSE(parse_extra_paths(bytes_of(bad)));
  bad.count = bundle::kMostMembers + 1;
  EXPECT_FALSE(parse_extra_paths(bytes_of(bad)));
  bad = good;
  bad.port = 0;
  EXPECT_FALSE(parse_extra_paths(bytes_of(bad)));
}

}  // namespace
}  // namespace px::plan
