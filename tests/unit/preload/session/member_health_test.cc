// SPDX-License-Identifier: MIT
#include "preload/session/member_health.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/unit/preload/session/session_fixture.h"

namespace px::shim {
namespace {

class MemberHealthTest : public SessionTest {
 protected:
  const bundle::Endpoint member_{address("198.51.100.1"), 443, 0};
};

TEST_F(MemberHealthTest, IsUnknownWithoutAPlan) {
  shim_.start();
  EXPECT_EQ(shim_.health.of(member_, 3), bundle::Health::kUnknown);
  EXPECT_EQ(shim_.health.round_trip_ms(member_, 3), 0);
  shim_.health.report(member_, 3, plan::HealthFact::kStreams, {.alive = true});
  EXPECT_EQ(broker_.hellos(), 0);
}

TEST_F(MemberHealthTest, IsReadWithoutAsking) {
  broker_.plan.publish_bundle(bundle_settings_of(plan::BundleTransport::kSctp, 50), "db.bundle",
                              "<a,b>");
  publish_file();
  shim_.start();
  errno = 4711;
  EXPECT_EQ(shim_.health.of(member_, 3), bundle::Health::kUnknown);
  EXPECT_EQ(errno, 4711);
  EXPECT_EQ(broker_.hellos(), 0);
}

}  // namespace
}  // namespace px::shim
