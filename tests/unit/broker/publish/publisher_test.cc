// SPDX-License-Identifier: MIT
#include "broker/publish/publisher.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace px::broker {
namespace {

std::filesystem::path make_directory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "px-publisher-XXXXXX").string();
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  return pattern;
}

TEST(Publisher, GivesNoTwoPlansTheSameRecheckAlsoAfterARestart) {
  const std::filesystem::path directory = make_directory();
  const auto policy = parse_policy("version: 1\nprofiles: { a: , b: }\n", "px.yaml");
  ASSERT_TRUE(policy);
  {
    auto publisher = Publisher::open(directory);
    ASSERT_TRUE(publisher && publisher->publish(*policy, {}, {}));
    publisher->recheck("a");
    publisher->recheck("a");
    publisher->recheck("b");
    EXPECT_EQ(publisher->find("a")->recheck(), 2u);
    EXPECT_EQ(publisher->find("b")->plan().recheck(), 3u);
    publisher->recheck("none");
  }
  auto publisher = Publisher::open(directory);
  ASSERT_TRUE(publisher && publisher->publish(*policy, {}, {}));
  publisher->recheck("a");
  EXPECT_EQ(publisher->find("a")->recheck(), 4u);
  std::filesystem::remove_all(directory);
}

TEST(Publisher, SaysWhereProgramsAreMatched) {
  const auto matching = [](const std::string& profiles, const char* profile) {
    const std::filesystem::path directory = make_directory();
    const auto policy = parse_policy("version: 1\nprofiles:\n" + profiles, "px.yaml");
    auto publisher = Publisher::open(directory);
    EXPECT_TRUE(policy && publisher && publisher->publish(*policy, {}, {}));
    std::filesystem::remove_all(directory);
    return publisher->find(profile)->plan().matching();
  };
  EXPECT_FALSE(matching("  a: {}\n  b: {}\n", "a"));
  EXPECT_TRUE(matching("  a: {}\n  b: { match: [ { user: 0 } ] }\n", "a"));
  EXPECT_TRUE(matching("  a: { inherit: false }\n  b: {}\n", "a"));
  EXPECT_FALSE(matching("  a: { inherit: false }\n  b: {}\n", "b"));
}

TEST(Publisher, SaysWhereSocketsAreChosenUnasked) {
  const std::filesystem::path directory = make_directory();
  auto publisher = Publisher::open(directory);
  ASSERT_TRUE(publisher);
  const auto says = [&](const std::string& text) {
    const auto policy = parse_policy("version: 1\n" + text, "px.yaml");
    EXPECT_TRUE(policy && publisher->publish(*policy, {}, {}));
    return std::filesystem::exists(directory / plan::kPlanDirectory / plan::kAllSocketsFile);
  };
  EXPECT_FALSE(
      says("profiles: { a: { bundle: { sockets: all } }, b: { match: [ { user: 0 } ] } }"));
  EXPECT_TRUE(says("profiles: { a: { bundle: { sockets: all }, match: [ { user: 0 } ] } }"));
  EXPECT_TRUE(says("default-profile: a\nprofiles: { a: { bundle: { sockets: all } } }"));
  EXPECT_FALSE(says("default-profile: b\nprofiles: { a: { bundle: { sockets: all } }, b: }"));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace px::broker
