// SPDX-License-Identifier: MIT
#include "broker/config/match.h"

#include <gtest/gtest.h>

#include "broker/config/policy.h"

namespace px::broker {
namespace {

Policy policy_of(const std::string& profiles) {
  const auto policy = parse_policy("version: 1\nprofiles:\n" + profiles, "px.yaml");
  for (const auto& error : policy ? std::vector<Diagnostic>{} : policy.error())
    ADD_FAILURE() << to_string(error);
  return policy.value_or(Policy{});
}

std::string best(const Policy& policy, const Program& program) {
  const Profile* profile = best_match(policy, program);
  return profile == nullptr ? "none" : profile->name;
}

TEST(Match, TakesTheMostPrecise) {
  const Policy policy = policy_of(
      "  user: { match: [ { user: 1000 } ] }\n"
      "  both: { match: [ { user: 1000, cgroup: \"/work/**\" } ] }\n"
      "  glob: { match: [ { exe: \"/usr/bin/*\" } ] }\n"
      "  glob-user: { match: [ { exe: \"/usr/bin/*\", user: 1001 } ] }\n"
      "  git: { match: [ { exe: /usr/bin/git } ] }\n"
      "  git-1001: { match: [ { exe: /usr/bin/git, user: 1001 } ] }\n");
  EXPECT_TRUE(policy.matching());
  EXPECT_EQ(best(policy, {"/bin/sh", 1, "/"}), "none");
  EXPECT_EQ(best(policy, {"/bin/sh", 1000, "/"}), "user");
  EXPECT_EQ(best(policy, {"/bin/sh", 1000, "/work/a"}), "both");
  EXPECT_EQ(best(policy, {"/usr/bin/curl", 1000, "/work/a"}), "glob");
  EXPECT_EQ(best(policy, {"/usr/bin/curl", 1001, "/"}), "glob-user");
  EXPECT_EQ(best(policy, {"/usr/bin/git", 1000, "/"}), "git");
  EXPECT_EQ(best(policy, {"/usr/bin/git", 1001, "/"}), "git-1001");
}

TEST(Match, OfTwoPatternsTheLongerLiteralBeginningWins) {
  const Policy policy = policy_of(
      "  opt-of-user: { match: [ { exe: \"/opt/**\", user: 1000 } ] }\n"
      "  opt: { match: [ { exe: \"/opt/**\" } ] }\n"
      "  corp: { match: [ { exe: \"/opt/corp/**\" } ] }\n"
      "  slice: { match: [ { cgroup: \"/user.slice/**\" } ] }\n"
      "  work: { match: [ { cgroup: \"/user.slice/work*/**\" } ] }\n"
      "  one: { match: [ { cgroup: /user.slice/work/1 } ] }\n");
  EXPECT_EQ(best(policy, {"/opt/x", 0, "/"}), "opt");
  EXPECT_EQ(best(policy, {"/opt/x", 1000, "/"}), "opt-of-user");
  EXPECT_EQ(best(policy, {"/opt/corp/x", 1000, "/"}), "corp") << "before more keys";
  EXPECT_EQ(best(policy, {"/bin/sh", 0, "/user.slice/play/1"}), "slice");
  EXPECT_EQ(best(policy, {"/bin/sh", 0, "/user.slice/work/2"}), "work");
  EXPECT_EQ(best(policy, {"/bin/sh", 0, "/user.slice/work/1"}), "one");
  EXPECT_EQ(best(policy, {"/opt/x", 0, "/user.slice/work/1"}), "opt");
}

TEST(Match, DoesNotHoldForWhatCannotBeTold) {
  const Policy policy = policy_of(
      "  any: { match: [ { exe: \"/**\" } ] }\n"
      "  group: { match: [ { cgroup: \"/**\" } ] }\n");
  EXPECT_EQ(best(policy, {"", 0, ""}), "none");
  EXPECT_EQ(best(policy, {"", 0, "/"}), "group");
  EXPECT_EQ(best(policy, {"/x", 0, ""}), "any");
}

TEST(Match, IsNoLongerThanAPath) {
  const auto policy = parse_policy(
      "version: 1\nprofiles: { work: { match: [ { exe: /" + std::string(4096, 'a') + " } ] } }",
      "px.yaml");
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().front().message,
            "longer than any path; expected the absolute path of a program, or a pattern");
}

TEST(Match, IsInNoPolicyByDefault) {
  const Policy policy = policy_of("  work: {}\n  alone: { inherit: false }\n");
  EXPECT_FALSE(policy.matching());
  EXPECT_TRUE(policy.profile("work")->inherit);
  EXPECT_FALSE(policy.profile("alone")->inherit);
}

}  // namespace
}  // namespace px::broker
