// SPDX-License-Identifier: MIT
#include "broker/daemon/process_limits.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace px::broker {
namespace {

TEST(ProcessLimits, TheSoftLimitIsTheHardOneFromThenOn) {
  rlimit limit{};
  const std::size_t raised = raise_descriptor_limit();
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(raised, limit.rlim_cur);
  EXPECT_EQ(limit.rlim_cur, limit.rlim_max);
}

TEST(ProcessLimits, ConnectionsAndSessionsLeaveAQuarterOfTheDescriptors) {
  for (const std::size_t descriptors : {1024u, 65536u, 1u << 20}) {
    const std::size_t taken =
        2 * connection_limits(descriptors).in_all + session_limits(descriptors).in_all;
    EXPECT_LE(taken, descriptors - descriptors / 4);
  }
}

TEST(ProcessLimits, AUserGetsWhatIsPromisedWhereTheHostAllowsIt) {
  EXPECT_EQ(connection_limits(20000).per_user, 1024u);
  EXPECT_EQ(connection_limits(1 << 20).per_user, 1024u);
  EXPECT_EQ(session_limits(20000).per_user, 4096u);
  EXPECT_EQ(session_limits(1 << 20).per_user, 4096u);
}

TEST(ProcessLimits, NoTwoUsersUseUpAllConnections) {
  for (const std::size_t descriptors : {1024u, 20000u, 1u << 20}) {
    const auto limits = connection_limits(descriptors);
    EXPECT_GE(limits.in_all, 3 * limits.per_user);
  }
  EXPECT_EQ(connection_limits(1024).per_user, 59u);
  EXPECT_EQ(session_limits(1024).per_user, 409u);
}

TEST(ProcessLimits, LookupsTakeHalfOfWhatIsLeft) {
  for (const std::size_t descriptors : {1024u, 65536u, 1u << 20}) {
    const auto limits = lookup_limits(descriptors);
    EXPECT_LE(4 * limits.at_a_time, descriptors / 8);
    EXPECT_EQ(limits.per_user, limits.at_a_time / 4);
  }
  EXPECT_EQ(lookup_limits(65536).at_a_time, 256u);
  EXPECT_EQ(lookup_limits(65536).per_user, 64u);
  EXPECT_EQ(lookup_limits(16).per_user, 1u);
}

}  // namespace
}  // namespace px::broker
