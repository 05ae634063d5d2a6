// SPDX-License-Identifier: MIT
#include "broker/link_names/known_link_names.h"

#include <gtest/gtest.h>

namespace px::broker {
namespace {

using std::chrono::milliseconds;

class KnownLinkNamesTest : public testing::Test {
 protected:
  // What eth0's servers are from then on: the source.
  std::string after(const char* source, BusAnswer answer, milliseconds later = milliseconds(0)) {
    now_ += later;
    LinkReading reading;
    if (source != nullptr) reading.links["eth0"].source = source;
    reading.services = {{"NetworkManager", BusAnswer::kAbsent}, {"systemd-resolved", answer}};
    known_.take(std::move(reading), now_);
    const auto found = known_.links().find("eth0");
    return found == known_.links().end() ? "none" : found->second.source;
  }

  KnownLinkNames known_;
  KnownLinkNames::Clock::time_point now_;
};

TEST_F(KnownLinkNamesTest, WhatIsReadHolds) {
  EXPECT_EQ(after("systemd-resolved", BusAnswer::kAnswered), "systemd-resolved");
  EXPECT_EQ(after("dhclient", BusAnswer::kAnswered), "dhclient");
  EXPECT_EQ(after(nullptr, BusAnswer::kAnswered), "none");
  EXPECT_FALSE(known_.again());
}

TEST_F(KnownLinkNamesTest, FilesHoldUntilALateServiceAnswers) {
  EXPECT_EQ(after("dhclient", BusAnswer::kLate), "dhclient");
  EXPECT_EQ(known_.again(), KnownLinkNames::kRetry);
  EXPECT_EQ(after("systemd-resolved", BusAnswer::kAnswered), "systemd-resolved");
  EXPECT_FALSE(known_.again());
  EXPECT_EQ(after("dhclient", BusAnswer::kLate, milliseconds(60'000)), "systemd-resolved");
  EXPECT_EQ(after(nullptr, BusAnswer::kLate, milliseconds(60'000)), "systemd-resolved");
  EXPECT_EQ(known_.again(), KnownLinkNames::kRetry);
}

TEST_F(KnownLinkNamesTest, AServiceMayBeStartedAgain) {
  (void)after("systemd-resolved", BusAnswer::kAnswered);
  EXPECT_EQ(after("dhclient", BusAnswer::kAbsent, milliseconds(500)), "systemd-resolved");
  EXPECT_EQ(known_.again(), KnownLinkNames::kRestart);
  EXPECT_EQ(after("dhclient", BusAnswer::kAbsent, milliseconds(1000)), "systemd-resolved");
  EXPECT_EQ(known_.again(), KnownLinkNames::kRestart - milliseconds(1000));
  EXPECT_EQ(after("systemd-resolved", BusAnswer::kAnswered), "systemd-resolved");
  EXPECT_EQ(after("dhclient", BusAnswer::kAbsent, milliseconds(60'000)), "systemd-resolved");
  EXPECT_EQ(after("dhclient", BusAnswer::kAbsent, KnownLinkNames::kRestart), "dhclient");
  EXPECT_FALSE(known_.again());
  EXPECT_EQ(after(nullptr, BusAnswer::kAbsent), "none");
}

}  // namespace
}  // namespace px::broker
