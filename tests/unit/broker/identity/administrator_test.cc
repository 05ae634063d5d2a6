// SPDX-License-Identifier: MIT
#include "broker/identity/administrator.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace px::broker {
namespace {

TEST(Administrator, IsRootAndTheBrokersOwnUser) {
  EXPECT_TRUE(is_administrator(0));
  EXPECT_TRUE(is_administrator(geteuid()));
  EXPECT_FALSE(is_administrator(geteuid() + 12345));
}

}  // namespace
}  // namespace px::broker
