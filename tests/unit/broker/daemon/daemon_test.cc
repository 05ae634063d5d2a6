// SPDX-License-Identifier: MIT
// A whole broker, as a private one: it changes nothing of this host.
#include "broker/daemon/daemon.h"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/unit/support/temporary_files.h"

namespace px::broker {
namespace {

using testing::HasSubstr;

class DaemonTest : public testing::Test {
 protected:
  DaemonTest() {
    options_.config = directory_ / "px.yaml";
    options_.socket = directory_ / "run" / "px.sock";
    options_.state_directory = directory_;
    options_.private_broker = true;
    write_policy("profiles: { work: }\n");
  }

  void write_policy(const std::string& text) const {
    std::ofstream(options_.config) << "version: 1\n" << text;
  }
  bool exists(const char* name) const { return std::filesystem::exists(directory_ / name); }

  TemporaryFiles files_;
  const std::filesystem::path& directory_ = files_.directory();
  Options options_;
};

TEST_F(DaemonTest, ServesUntilASignalAndAPrivateOneLeavesNothing) {
  Daemon daemon(options_);
  const auto started = daemon.start();
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_TRUE(exists("run/px.sock"));
  EXPECT_TRUE(exists("run/plan-v3/work.plan"));
  ASSERT_EQ(raise(SIGTERM), 0);
  daemon.run();
  EXPECT_FALSE(exists("run"));
}

TEST_F(DaemonTest, ABadPolicyStartsNothing) {
  write_policy("profiles: { work: { rule: } }\n");
  Daemon daemon(options_);
  const auto started = daemon.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("px.yaml:2:"));
  EXPECT_FALSE(exists("run"));
}

TEST_F(DaemonTest, ASecondBrokerIsTurnedAway) {
  Daemon first(options_);
  ASSERT_TRUE(first.start());
  Daemon second(options_);
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("another broker is running in "));
  EXPECT_TRUE(exists("run/px.sock"));
  ASSERT_EQ(raise(SIGTERM), 0);
  first.run();
}

}  // namespace
}  // namespace px::broker
