// SPDX-License-Identifier: MIT
#include "cli/exec/preload_list.h"

#include <gtest/gtest.h>

#include <vector>

namespace px::cli {
namespace {

using Names = std::vector<std::string>;

std::string list(std::string_view existing, const Names& sanitizers = {}) {
  return preload_list(existing, "/x/libpx.so", sanitizers).value_or("error");
}

TEST(PreloadList, StandsBehindWhatIsThere) {
  EXPECT_EQ(list(""), "/x/libpx.so");
  EXPECT_EQ(list("/a.so"), "/a.so:/x/libpx.so");
  EXPECT_EQ(list("/a.so /b.so:/c.so"), "/a.so:/b.so:/c.so:/x/libpx.so");
}

TEST(PreloadList, EmptyAndDoubleEntriesGo) {
  EXPECT_EQ(list(":: /a.so::/a.so "), "/a.so:/x/libpx.so");
}

TEST(PreloadList, StandsThereOnce) {
  EXPECT_EQ(list("/x/libpx.so"), "/x/libpx.so");
  EXPECT_EQ(list("/x/libpx.so:/a.so"), "/a.so:/x/libpx.so");
  EXPECT_EQ(list("/elsewhere/libpx.so:/a.so"), "/a.so:/x/libpx.so");
  EXPECT_EQ(list("/x/notlibpx.so"), "/x/notlibpx.so:/x/libpx.so");
}

TEST(PreloadList, SanitizersComeFirst) {
  EXPECT_EQ(list("/a.so", {"libasan.so.8"}), "libasan.so.8:/a.so:/x/libpx.so");
  EXPECT_EQ(list("/a.so:libasan.so.8", {"libasan.so.8"}), "libasan.so.8:/a.so:/x/libpx.so");
}

TEST(PreloadList, PathsThatTheLoaderWouldCutAreRefused) {
  EXPECT_FALSE(preload_list("", "/a b/libpx.so", Names{}));
  EXPECT_FALSE(preload_list("", "/a:b/libpx.so", Names{}));
}

}  // namespace
}  // namespace px::cli
