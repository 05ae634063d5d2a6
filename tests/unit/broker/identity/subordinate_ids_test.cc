// SPDX-License-Identifier: MIT
#include "broker/identity/subordinate_ids.h"

#include <gtest/gtest.h>

#include "tests/unit/support/temporary_files.h"

namespace px::broker {
namespace {

class SubordinateIdsTest : public testing::Test {
 protected:
  SubordinateIdsTest() {
    files.write("passwd",
                "root:x:0:0:root:/root:/bin/bash\nanna:x:1000:1000::/home/anna:/bin/sh\n"
                "bert:x:1001:1001::/home/bert:/bin/sh\n");
  }
  SubordinateIds ids() { return SubordinateIds(files.path("subuid"), files.path("passwd")); }

  TemporaryFiles files;
};

TEST_F(SubordinateIdsTest, ARangeCountsAsTheUserWhomItIsLentTo) {
  files.write("subuid", "anna:100000:65536\n1001:165536:65536\n");
  auto lent = ids();
  EXPECT_EQ(lent.owner_of(100000), 1000u);
  EXPECT_EQ(lent.owner_of(165535), 1000u);
  EXPECT_EQ(lent.owner_of(165536), 1001u);
  EXPECT_EQ(lent.owner_of(231071), 1001u);
  EXPECT_EQ(lent.owner_of(231072), 231072u);
  EXPECT_EQ(lent.owner_of(99999), 99999u);
  EXPECT_EQ(lent.owner_of(1000), 1000u);
  EXPECT_EQ(lent.owner_of(0), 0u);
}

TEST_F(SubordinateIdsTest, WhatIsLentToRootOrToUnknownNamesIsOneUser) {
  files.write("subuid", "root:100000:10\nsomebody:200000:10\nsomebody:300000:10\n");
  auto lent = ids();
  EXPECT_EQ(lent.owner_of(100009), 100000u);
  EXPECT_EQ(lent.owner_of(200009), 200000u);
  EXPECT_EQ(lent.owner_of(300009), 200000u);
}

TEST_F(SubordinateIdsTest, TheFileMayChangeAndBeWrong) {
  auto lent = ids();
  EXPECT_EQ(lent.owner_of(100000), 100000u) << "there is none";
  files.write("subuid",
              "\nanna\nanna:100000\nanna:x:5\nanna:0:100000\nanna:4294967295:2\nanna:-1:5\n"
              "anna:200000:5:\n");
  EXPECT_EQ(lent.owner_of(100000), 100000u);
  EXPECT_EQ(lent.owner_of(50), 50u);
  EXPECT_EQ(lent.owner_of(4294967295), 4294967295u);
  EXPECT_EQ(lent.owner_of(200000), 1000u);
}

}  // namespace
}  // namespace px::broker
