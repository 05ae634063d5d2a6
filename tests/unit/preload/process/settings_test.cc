// SPDX-License-Identifier: MIT
#include "preload/process/settings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "plan/wire.h"

namespace px::shim {
namespace {

Settings read(std::vector<std::string> lines) {
  std::vector<const char*> environment;
  for (const std::string& line : lines) environment.push_back(line.c_str());
  environment.push_back(nullptr);
  return read_settings(environment.data());
}

TEST(Settings, NameNoProfileWithoutAProfile) {
  EXPECT_FALSE(read({}).named);
  EXPECT_FALSE(read({"PX_SOCKET=/run/px/px.sock", "PX_PROFILES=a", "MY_PX_PROFILE=a"}).named);
  EXPECT_FALSE(read_settings(nullptr).named);
  const Settings settings = read({"PX_SOCKET=/tmp/px.sock"});
  EXPECT_STREQ(settings.profile.data(), "");
  EXPECT_STREQ(settings.socket_path.data(), "/tmp/px.sock") << "whichever profile matches";
  EXPECT_EQ(settings.problem, nullptr);
  EXPECT_FALSE(settings.stderr_file);
}

TEST(Settings, CopyProfileAndSocket) {
  const Settings settings = read({"A=1", "PX_PROFILE=vpn-split", "PX_SOCKET=/tmp/px.sock"});
  EXPECT_TRUE(settings.named);
  EXPECT_EQ(settings.problem, nullptr);
  EXPECT_STREQ(settings.profile.data(), "vpn-split");
  EXPECT_STREQ(settings.socket_path.data(), "/tmp/px.sock");
}

TEST(Settings, FindTheUsersSocketWhereThereIsNoSystemBroker) {
  const Settings settings = read({"PX_PROFILE=a", "XDG_RUNTIME_DIR=/run/user/1000"});
  const bool system = ::access(plan::kSystemSocket, F_OK) == 0;
  EXPECT_STREQ(settings.socket_path.data(),
               system ? plan::kSystemSocket : "/run/user/1000/px/px.sock");
  EXPECT_STREQ(read({"PX_PROFILE=a"}).socket_path.data(), plan::kSystemSocket);
}

TEST(Settings, NameTheProblem) {
  for (const std::string& profile :
       std::vector<std::string>{"", "../x", ".x", "a b", std::string(64, 'x')}) {
    const Settings settings = read({"PX_PROFILE=" + profile, "PX_SOCKET=/tmp/px.sock"});
    EXPECT_TRUE(settings.named);
    EXPECT_STREQ(settings.problem, "PX_PROFILE is not the name of a profile") << profile;
    EXPECT_STREQ(settings.profile.data(), "");
  }
  for (const std::string& socket : std::vector<std::string>{"", "/" + std::string(107, 'x')}) {
    const Settings settings = read({"PX_PROFILE=a", "PX_SOCKET=" + socket});
    EXPECT_STREQ(settings.problem, "PX_SOCKET is not the path of a socket");
  }
  EXPECT_EQ(read({"PX_PROFILE=a", "PX_SOCKET=/" + std::string(106, 'x')}).problem, nullptr);
}

TEST(Settings, SeeAClosedStderr) {
  const int kept = ::dup(STDERR_FILENO);
  ::close(STDERR_FILENO);
  const auto file = read({"PX_PROFILE=a"}).stderr_file;
  ::dup2(kept, STDERR_FILENO);
  ::close(kept);
  EXPECT_FALSE(file);
  EXPECT_EQ(read({"PX_PROFILE=a"}).stderr_file, file_identity(STDERR_FILENO));
}

}  // namespace
}  // namespace px::shim
