// SPDX-License-Identifier: MIT
// PROGRAM [FILE]: runs the tests that are written in tests/unit/FILE_test.cc, or all that PROGRAM
// is made of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace {

// As a filter of GoogleTest's; empty if there are none.
std::string tests_in(const std::string& file) {
  std::string filter;
  const auto& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const auto& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const auto& test = *suite.GetTestInfo(j);
      if (!std::string_view(test.file()).ends_with("/" + file + "_test.cc")) continue;
      filter += filter.empty() ? "" : ":";
      filter += std::string(suite.name()) + "." + test.name();
    }
  }
  return filter;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  if (argc > 1) {
    const auto filter = tests_in(argv[1]);
    if (filter.empty()) {
      std::fprintf(stderr, "%s has no tests of %s_test.cc\n", argv[0], argv[1]);
      return 1;
    }
    GTEST_FLAG_SET(filter, filter);
  }
  return RUN_ALL_TESTS();
}
