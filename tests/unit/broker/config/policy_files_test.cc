// SPDX-License-Identifier: MIT
// tests/policies/bad/NAME.yaml must give exactly the lines of NAME.expected beside it, with lists
// of keys as known_keys.h has them. Every file of tests/policies/good must load, as must those that
// px is installed with.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "broker/config/policy.h"
#include "tests/unit/broker/config/known_keys.h"

namespace px::broker {
namespace {

const std::filesystem::path kBad = std::filesystem::path(PX_TEST_POLICIES) / "bad";
const std::filesystem::path kGood = std::filesystem::path(PX_TEST_POLICIES) / "good";

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// The diagnostics, a line each, without the folder in front of the files' names.
std::string complaints(const PolicyResult& policy) {
  std::string text;
  if (policy) return text;
  for (const Diagnostic& diagnostic : policy.error()) {
    const auto& file = diagnostic.position.file;
    const std::string folder = std::filesystem::path(file).parent_path().string() + "/";
    text += to_string(diagnostic) + "\n";
    for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
      text.erase(at, folder.size());
    }
  }
  return text;
}

class BadPolicy : public testing::TestWithParam<std::string> {};

TEST_P(BadPolicy, SaysExactlyWhatIsWrong) {
  std::ifstream file(kBad / (GetParam() + ".expected"));
  std::stringstream expected;
  expected << file.rdbuf();
  ASSERT_TRUE(file && !expected.str().empty()) << "no expected messages";
  const auto policy = load_policy(kBad / (GetParam() + ".yaml"));
  EXPECT_FALSE(policy);
  EXPECT_EQ(complaints(policy), with_known_keys(expected.str()));
}

INSTANTIATE_TEST_SUITE_P(Policies, BadPolicy, testing::ValuesIn(names_in(kBad)), test_name);

class GoodPolicy : public testing::TestWithParam<std::string> {};

TEST_P(GoodPolicy, Loads) {
  const auto policy = load_policy(kGood / (GetParam() + ".yaml"));
  EXPECT_TRUE(policy) << complaints(policy);
}

INSTANTIATE_TEST_SUITE_P(Policies, GoodPolicy, testing::ValuesIn(names_in(kGood)), test_name);

TEST(PolicyFiles, ExamplesLoad) {
  const auto conf = std::filesystem::path(PX_TEST_POLICIES) / "../../conf";
  for (const char* name : {"px.yaml", "examples/bundles.yaml", "examples/two-routers.yaml",
                           "examples/vpn-split.yaml"}) {
    const auto policy = load_policy(conf / name);
    EXPECT_TRUE(policy) << complaints(policy);
  }
}

TEST(PolicyFiles, AreAllThere) {
  EXPECT_GE(names_in(kBad).size(), 70u);
  EXPECT_GE(names_in(kGood).size(), 5u);
}

}  // namespace
}  // namespace px::broker
