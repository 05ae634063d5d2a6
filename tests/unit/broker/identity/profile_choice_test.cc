// SPDX-License-Identifier: MIT
#include "broker/identity/profile_choice.h"

#include <gtest/gtest.h>

namespace px::broker {
namespace {

Policy make_policy(const std::string& more = "") {
  auto policy = parse_policy(
      "version: 1\n"
      "profiles:\n"
      "  work: {}\n"
      "  play: {}\n"
      "  alone: { inherit: false }\n"
      "  git: { match: [ { exe: /usr/bin/git } ] }\n"
      "  browser: { match: [ { exe: /usr/bin/browser } ], inherit: false }\n" +
          more,
      "px.yaml");
  EXPECT_TRUE(policy);
  return policy.value_or(Policy{});
}

const Program kGit{"/usr/bin/git", 1000, "/"};
const Program kShell{"/bin/sh", 1000, "/"};

// "PROFILE ORIGIN", "none", or "refused".
std::string choice(const ProfileClaim& claim, const Policy& policy = make_policy()) {
  const auto assignment = choose_profile(policy, claim);
  if (!assignment) return "refused";
  if (assignment->profile.empty()) return "none";
  return assignment->profile + " " + name_of(assignment->origin);
}

ProfileAssignment assignment(const std::string& profile, Origin origin,
                             const std::string& named = "") {
  return {profile, origin, named};
}

TEST(ProfileChoice, GivesWhatMatchesElseTheDefaultElseNone) {
  EXPECT_EQ(choice({.program = kGit}), "git matched");
  EXPECT_EQ(choice({.program = kShell}), "none");
  EXPECT_EQ(choice({.program = kShell}, make_policy("default-profile: play\n")), "play default");
}

TEST(ProfileChoice, TakesTheEnvironmentsWordWhereNothingMatches) {
  EXPECT_EQ(choice({.program = kShell, .named = "work"}), "work environment");
  EXPECT_EQ(choice({.program = kGit, .named = "work"}), "git matched");
  EXPECT_EQ(choice({.program = kShell, .named = "alone"}), "alone environment");
}

TEST(ProfileChoice, RefusesAProfileThatIsNotThere) {
  EXPECT_EQ(choice({.program = kShell, .named = "wrok"}), "refused");
  EXPECT_EQ(choice({.program = kShell, .named = "wrok"}, make_policy("default-profile: play\n")),
            "refused");
  EXPECT_EQ(choice({.program = kGit, .named = "wrok"}), "git matched");
}

TEST(ProfileChoice, KeepsWhatPxExecWasTold) {
  const auto launched = assignment("work", Origin::kLaunched, "work");
  EXPECT_EQ(choice({.program = kGit, .named = "work", .own = launched}), "work launched");
  EXPECT_EQ(choice({.program = kShell, .named = "play", .own = launched}), "play environment")
      << "exec with another PX_PROFILE";
  const auto alone = assignment("alone", Origin::kLaunched, "alone");
  EXPECT_EQ(choice({.program = kShell, .named = "alone", .own = alone}), "alone launched");
}

TEST(ProfileChoice, ChildrenInheritOrMatch) {
  const auto launched = assignment("work", Origin::kLaunched, "work");
  EXPECT_EQ(choice({.program = kShell, .named = "work", .ancestor = launched}), "work inherited");
  EXPECT_EQ(choice({.program = kGit, .named = "work", .ancestor = launched}), "git matched");
  EXPECT_EQ(choice({.program = kShell, .named = "play", .ancestor = launched}), "play environment");
  EXPECT_EQ(choice({.program = kShell, .ancestor = launched}), "work inherited")
      << "a cleaned environment";
  const auto alone = assignment("alone", Origin::kLaunched, "alone");
  EXPECT_EQ(choice({.program = kShell, .named = "alone", .ancestor = alone}), "none");
  const auto git = assignment("git", Origin::kMatched, "work");
  EXPECT_EQ(choice({.program = kShell, .named = "work", .ancestor = git}), "git inherited");
  EXPECT_EQ(choice({.program = kShell, .ancestor = assignment("browser", Origin::kMatched)}),
            "none");
}

TEST(ProfileChoice, AnExecInPlaceIsLikeAChild) {
  const auto git = assignment("git", Origin::kMatched);
  EXPECT_EQ(choice({.program = kShell, .own = git}), "git inherited");
  const auto browser = assignment("browser", Origin::kMatched);
  EXPECT_EQ(choice({.program = kShell, .own = browser}), "none");
  EXPECT_EQ(choice({.program = kGit, .own = browser}), "git matched");
}

TEST(ProfileChoice, GoesOnAsItWas) {
  EXPECT_EQ(choice({.program = kGit, .named = "work", .goes_on = true}), "work environment");
  EXPECT_EQ(choice({.program = kGit, .named = "git", .goes_on = true}), "git matched");
  const auto git = assignment("git", Origin::kMatched);
  EXPECT_EQ(choice({.program = kGit, .named = "git", .goes_on = true, .ancestor = git}),
            "git matched");
  const auto launched = assignment("work", Origin::kLaunched, "work");
  EXPECT_EQ(choice({.program = kGit, .named = "work", .goes_on = true, .ancestor = launched}),
            "work inherited");
  EXPECT_EQ(choice({.program = kShell, .named = "alone", .goes_on = true}), "alone environment")
      << "a fork is the same program";
  EXPECT_EQ(choice({.program = kGit, .named = "gone", .goes_on = true}), "git matched");
  EXPECT_EQ(choice({.program = kShell, .named = "gone", .goes_on = true}), "refused");
}

TEST(ProfileChoice, FollowsAMove) {
  const auto moved = assignment("play", Origin::kMoved, "work");
  EXPECT_EQ(choice({.program = kGit, .named = "work", .goes_on = true, .own = moved}),
            "play moved");
  EXPECT_EQ(choice({.program = kShell, .named = "work", .own = moved}), "play moved") << "exec";
  EXPECT_EQ(choice({.program = kGit, .named = "work", .goes_on = true, .ancestor = moved}),
            "play inherited");
  EXPECT_EQ(choice({.program = kShell, .named = "work", .ancestor = moved}), "play inherited");
  const auto to_alone = assignment("alone", Origin::kMoved, "work");
  EXPECT_EQ(choice({.program = kShell, .named = "work", .ancestor = to_alone}), "alone inherited");
}

TEST(ProfileChoice, TakesAProfileAway) {
  const auto none = assignment("", Origin::kDefault);
  EXPECT_EQ(choice({.program = kShell, .named = "git", .goes_on = true, .own = none}), "none");
}

}  // namespace
}  // namespace px::broker
