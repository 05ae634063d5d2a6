// SPDX-License-Identifier: MIT
#include "plan/bundle_wire.h"

#include <gtest/gtest.h>

#include <cstring>

namespace px::plan {
namespace {

HealthReport report() {
  auto report = make<HealthReport>();
  report.address = bundle::ipv4_address(0x0a000001);
  report.port = 80;
  fill_text(report.profile, "work");
  return report;
}

template <typename Message>
std::span<const std::byte> bytes_of(const Message& message) {
  return std::as_bytes(std::span(&message, 1));
}

TEST(BundleWire, AReportIsRead) {
  const auto read = parse<HealthReport>(bytes_of(report()));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->address, report().address);
  EXPECT_STREQ(read->profile, "work");
}

TEST(BundleWire, ARoundTripHasOneThatCanBe) {
  HealthReport timed = report();
  timed.fact = HealthFact::kRoundTrip;
  for (const std::uint16_t good : {std::uint16_t{1}, kMostRoundTripMs}) {
    timed.round_trip_ms = good;
    EXPECT_TRUE(parse<HealthReport>(bytes_of(timed)));
  }
  timed.alive = 1;
  EXPECT_FALSE(parse<HealthReport>(bytes_of(timed)));
  timed.alive = 0;
  for (const int bad : {0, kMostRoundTripMs + 1}) {
    timed.round_trip_ms = static_cast<std::uint16_t>(bad);
    EXPECT_FALSE(parse<HealthReport>(bytes_of(timed)));
  }
}

TEST(BundleWire, AnyOtherPacketIsNot) {
  const HealthReport good = report();
  EXPECT_FALSE(parse<HealthReport>(bytes_of(good).first(sizeof good - 1)));
  EXPECT_FALSE(parse<HealthReport>({}));
  HealthReport bad = good;
  bad.header.type = MessageType::kMark;
  EXPECT_FALSE(parse<HealthReport>(bytes_of(bad)));
  bad = good;
  bad.port = 0;
  EXPECT_FALSE(parse<HealthReport>(bytes_of(bad)));
  bad = good;
  bad.alive = 2;
  EXPECT_FALSE(parse<HealthReport>(bytes_of(bad)));
  bad = good;
  bad.fact = static_cast<HealthFact>(3);
  EXPECT_FALSE(parse<HealthReport>(bytes_of(bad)));
  bad = good;
  bad.round_trip_ms = 1;
  EXPECT_FALSE(parse<HealthReport>(bytes_of(bad))) << "a time that is not asked for";
  bad = good;
  std::memset(bad.profile, 'a', sizeof bad.profile);
  EXPECT_FALSE(parse<HealthReport>(bytes_of(bad))) << "a name without an end";
  bad = good;
  fill_text(bad.profile, "../etc");
  EXPECT_FALSE(parse<HealthReport>(bytes_of(bad)));
}

TEST(BundleWire, ARequestForExtraPathsIsRead) {
  auto good = make<ExtraPaths>();
  good.port = 80;
  good.count = 2;
  good.members[1].address = bundle::ipv4_address(0x0a000002);
  const auto read = parse<ExtraPaths>(bytes_of(good));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->members[1].address, bundle::ipv4_address(0x0a000002));
  EXPECT_FALSE(parse<ExtraPaths>(bytes_of(good).first(sizeof good - 1)));
  EXPECT_FALSE(parse<HealthReport>(bytes_of(good)));
  ExtraPaths bad = good;
  bad.count = 0;
  EXPECT_FALSE(parse<ExtraPaths>(bytes_of(bad)));
  bad.count = bundle::kMostMembers + 1;
  EXPECT_FALSE(parse<ExtraPaths>(bytes_of(bad)));
  bad = good;
  bad.port = 0;
  EXPECT_FALSE(parse<ExtraPaths>(bytes_of(bad)));
}

}  // namespace
}  // namespace px::plan
