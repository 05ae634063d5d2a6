// SPDX-License-Identifier: MIT
#include "broker/names/server_health.h"

#include <gtest/gtest.h>

namespace px::broker {
namespace {

using namespace std::chrono_literals;

TEST(ServerHealth, SilenceIsRememberedForAWhile) {
  std::chrono::steady_clock::time_point now{1h};
  ServerHealth health([&] { return now; });
  ChannelKey one;
  one.server = *bundle::address_from_text("10.0.0.53");
  one.interface = "a";
  ChannelKey other = one;
  other.interface = "b";
  EXPECT_FALSE(health.is_silent(one));
  health.was_silent(one);
  EXPECT_TRUE(health.is_silent(one));
  EXPECT_FALSE(health.is_silent(other)) << "by another interface it may answer";
  one.extended = true;
  EXPECT_TRUE(health.is_silent(one)) << "however it is asked";
  now += ServerHealth::kRemembered;
  EXPECT_FALSE(health.is_silent(one));
  health.was_silent(one);
  health.has_answered(one);
  EXPECT_FALSE(health.is_silent(one));
}

TEST(ServerHealth, OneThatCouldNotProveItsNameIsLeftAloneForAWhile) {
  std::chrono::steady_clock::time_point now{1h};
  ServerHealth health([&] { return now; });
  ChannelKey server;
  server.tls_name = "dns.example";
  ChannelKey other = server;
  other.tls_name = "other.example";
  health.was_refused(server);
  EXPECT_TRUE(health.is_refused(server));
  EXPECT_FALSE(health.is_refused(other)) << "by that name it may be another matter";
  EXPECT_FALSE(health.is_silent(server));
  now += ServerHealth::kRefused;
  EXPECT_FALSE(health.is_refused(server));
}

}  // namespace
}  // namespace px::broker
