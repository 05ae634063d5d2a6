// SPDX-License-Identifier: MIT
#include "libbundle/connect/findings.h"

#include <cerrno>

#include "tests/unit/libbundle/connect/race_fixture.h"

namespace px::bundle {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FindingsTest : public RaceTest {};

TEST_F(FindingsTest, WhereOthersRefuseSilenceEndsAfterASecondSyn) {
  network_.hosts = {{"10.0.0.2", refuses()}};
  for (const bool nonblocking : {false, true}) {
    network_.own() = {.nonblocking = nonblocking};
    network_.now = 0;
    EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), ECONNREFUSED);
    EXPECT_EQ(network_.now, nonblocking ? 700 : 1'200);
    EXPECT_EQ(peer(), "none");
  }
  EXPECT_THAT(egress_.reports, ElementsAre("10.0.0.1 dead", "10.0.0.1 dead"));
  network_.own() = {};
  network_.hosts["10.0.0.1"] = answers(1'010);
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), 0);
}

TEST_F(FindingsTest, TheKnownSilentGetTheTimeOfARefusal) {
  egress_.healths["10.0.0.1"] = Health::kDead;
  network_.hosts = {{"10.0.0.2", refuses(20)}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), ECONNREFUSED);
  EXPECT_THAT(network_.calls, ElementsAre("socket 10.0.0.2 @0", "socket 10.0.0.1 @20"));
  EXPECT_EQ(network_.now, 80);
  EXPECT_THAT(egress_.reports, IsEmpty());
}

TEST_F(FindingsTest, NonBlockingWaitsOnceForTheDead) {
  network_.own().nonblocking = true;
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), EINPROGRESS);
  EXPECT_THAT(egress_.reports, ElementsAre("10.0.0.1 dead", "10.0.0.2 dead"));
  egress_.healths = {{"10.0.0.1", Health::kDead}, {"10.0.0.2", Health::kDead}};
  network_.own() = {.nonblocking = true};
  network_.now = 0;
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), EINPROGRESS);
  EXPECT_EQ(network_.now, 20);
  EXPECT_EQ(peer(), "10.0.0.1");
  network_.own() = {.nonblocking = true};
  network_.hosts = {{"10.0.0.2", answers(5)}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), EINPROGRESS);
  EXPECT_EQ(peer(), "10.0.0.2");
  EXPECT_EQ(egress_.reports.back(), "10.0.0.2 alive");
}

TEST_F(FindingsTest, WhatHadNoTimeIsNotCalledDead) {
  network_.hosts = {{"10.0.0.2", answers()}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}, 20, 100), 0);
  EXPECT_EQ(network_.now, 40);
  EXPECT_THAT(egress_.reports, IsEmpty());
}

TEST_F(FindingsTest, WhereOnlyTheOtherFamilyAnswersTheCallEnds) {
  for (const bool nonblocking : {false, true}) {
    network_.own() = {.family = AF_INET, .nonblocking = nonblocking};
    network_.now = 0;
    network_.calls.clear();
    network_.hosts = {{"2001:db8::1", answers()}};
    EXPECT_EQ(connect({"10.0.0.1", "2001:db8::1"}), ETIMEDOUT);
    EXPECT_THAT(network_.calls, ElementsAre("socket 10.0.0.1 @0", "probe 2001:db8::1 @100"));
    EXPECT_EQ(network_.now, 110);
    EXPECT_EQ(peer(), "none");
  }
  EXPECT_EQ(egress_.reports.front(), "10.0.0.1 dead");
  network_.own() = {.family = AF_INET};
  // The slower the other family answers, the longer the socket's own one may take.
  network_.hosts = {{"10.0.0.1", answers(250)}, {"2001:db8::1", answers(90)}};
  EXPECT_EQ(connect({"10.0.0.1", "2001:db8::1"}), 0);
  EXPECT_EQ(peer(), "10.0.0.1");
}

TEST_F(FindingsTest, SilenceEndsAfterThirtySeconds) {
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), ETIMEDOUT);
  EXPECT_EQ(network_.now, 30'000);
  EXPECT_EQ(peer(), "none");
  EXPECT_THAT(egress_.reports, ElementsAre("10.0.0.1 dead", "10.0.0.2 dead"));
}

}  // namespace
}  // namespace px::bundle
