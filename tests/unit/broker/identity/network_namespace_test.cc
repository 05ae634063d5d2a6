// SPDX-License-Identifier: MIT
#include "broker/identity/network_namespace.h"

#include <gtest/gtest.h>

namespace px::broker {
namespace {

TEST(NetworkNamespace, AnotherOnesProgramsAreExcluded) {
  const NetworkNamespace here(7);
  EXPECT_TRUE(here.excludes(8));
  EXPECT_FALSE(here.excludes(7));
  EXPECT_FALSE(here.excludes(0)) << "the program does not know";
  EXPECT_FALSE(NetworkNamespace(0).excludes(8)) << "the broker does not know";
}

TEST(NetworkNamespace, ThisProcessesOwnDoesNotChange) {
  EXPECT_EQ(NetworkNamespace::own().cookie(), NetworkNamespace::own().cookie());
}

}  // namespace
}  // namespace px::broker
