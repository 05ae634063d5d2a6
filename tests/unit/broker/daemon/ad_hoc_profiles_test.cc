// SPDX-License-Identifier: MIT
// PX-8: the profiles of px-exec's --via beside a policy.
#include "broker/daemon/ad_hoc_profiles.h"

#include <gmock/gmock.h>

#include <vector>

namespace px::broker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Entry entry(std::uint32_t number, const std::string& interface, const std::string& source) {
  Entry entry;
  entry.number = number;
  entry.interface = interface;
  entry.source = *bundle::address_from_text(source);
  return entry;
}

class AdHocProfilesTest : public testing::Test {
 protected:
  AdHocProfilesTest() {
    snapshot_.entries = {entry(1, "lan0", "192.0.2.1"), entry(2, "lte0", "192.0.2.2")};
  }

  // The name that the way has, which stays held.
  std::string hold(const std::string& way, const std::string& wanted = {}) {
    auto held = ad_hoc_.hold(way, wanted, policy_, snapshot_);
    if (!held) return "error: " + held.error().message;
    holds_.push_back(*held);
    ad_hoc_.add_to(policy_);
    return **held;
  }
  const PathSelector& path_of(const std::string& profile) const {
    return *policy_.path(policy_.profile(profile)->rules.at(0).via.at(0));
  }

  Policy policy_ = *parse_policy(
      "version: 1\npaths: { lan: { interface: lan0 } }\nprofiles: { work: }\n", "px.yaml");
  Snapshot snapshot_;
  AdHocProfiles ad_hoc_;
  std::vector<ProfileHold> holds_;
};

TEST_F(AdHocProfilesTest, AWayIsAPathThenANumberThenAnInterface) {
  EXPECT_EQ(hold("lan"), "via.lan");
  EXPECT_EQ(path_of("via.lan").interface, "lan0");
  EXPECT_EQ(hold("2"), "via.2");
  EXPECT_EQ(path_of("via.2").interface, "lte0");
  EXPECT_EQ(path_of("via.2").source, snapshot_.entries[1].source);
  EXPECT_EQ(hold("lte0"), "via.lte0");
  EXPECT_THAT(hold("wlan7"), HasSubstr("there are: entry-2, lan, lan0, lte0"));
  EXPECT_THAT(hold("3"), HasSubstr("no entry 3"));
}

TEST_F(AdHocProfilesTest, TheSameWayIsTheSameProfile) {
  EXPECT_EQ(hold("lan"), "via.lan");
  EXPECT_EQ(hold("lan"), "via.lan");
  EXPECT_EQ(policy_.profiles.size(), 2u);
}

TEST_F(AdHocProfilesTest, ANumberThatMeansAnotherEntryNowIsAnotherProfile) {
  EXPECT_EQ(hold("2"), "via.2");
  snapshot_.entries[1] = entry(2, "vpn0", "192.0.2.3");
  EXPECT_EQ(hold("2"), "via.2-2");
  EXPECT_EQ(path_of("via.2").interface, "lte0");
  EXPECT_EQ(path_of("via.2-2").interface, "vpn0");
}

TEST_F(AdHocProfilesTest, ThePolicysNamesAreNotTaken) {
  policy_.profiles.front().name = "via.lan";
  EXPECT_EQ(hold("lan"), "via.lan-2");
}

TEST_F(AdHocProfilesTest, AFormerNameIsHadAgain) {
  EXPECT_EQ(hold("lan", "via.lan"), "via.lan");
}

// Else whoever asks first would choose where another user's programs go.
TEST_F(AdHocProfilesTest, ANameIsHadAgainForWhatItMeantAlone) {
  for (const char* other : {"via.lte0", "via.lan-2", "removed", "../etc", "via.way"})
    EXPECT_THAT(hold("lan", other), HasSubstr("cannot be had again")) << other;
  EXPECT_THAT(hold("2", "via.2"), HasSubstr("cannot be had again")) << "another entry by now";
  policy_.profiles.front().name = "via.lan";
  EXPECT_THAT(hold("lan", "via.lan"), HasSubstr("the policy has"));
}

TEST_F(AdHocProfilesTest, TheyFollowThePolicysPath) {
  hold("lan");
  Policy changed = *parse_policy("version: 1\npaths: { lan: { interface: lte0 } }\n", "px.yaml");
  ad_hoc_.add_to(changed);
  EXPECT_EQ(changed.path("lan")->interface, "lte0");
  Policy without = *parse_policy("version: 1\n", "px.yaml");
  ad_hoc_.add_to(without);
  EXPECT_EQ(without.path("lan")->interface, "lte0") << "what it was at last";
  EXPECT_NE(without.profile("via.lan"), nullptr);
}

TEST_F(AdHocProfilesTest, TheyStayWhileTheyAreHeldOrInUse) {
  hold("lan");
  hold("lte0");
  const auto nothing = [](const std::string&) { return false; };
  EXPECT_THAT(ad_hoc_.forget_unused(nothing), IsEmpty());
  holds_.clear();
  const auto lan = [](const std::string& profile) { return profile == "via.lan"; };
  EXPECT_THAT(ad_hoc_.forget_unused(lan), ElementsAre("via.lte0"));
  EXPECT_THAT(ad_hoc_.forget_unused(nothing), ElementsAre("via.lan"));
  EXPECT_TRUE(ad_hoc_.empty());
}

TEST_F(AdHocProfilesTest, TheirNumberIsBounded) {
  for (std::uint32_t i = 0; i < AdHocProfiles::kMost; ++i) {
    snapshot_.entries.push_back(entry(i + 3, "eth" + std::to_string(i), "192.0.2.9"));
    hold("eth" + std::to_string(i));
  }
  EXPECT_THAT(hold("lan"), HasSubstr("256 ways"));
}

}  // namespace
}  // namespace px::broker
