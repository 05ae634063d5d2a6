// SPDX-License-Identifier: MIT
#include "cli/locations.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "cli/client.h"
#include "tests/unit/support/temporary_files.h"

namespace px::cli {
namespace {

TEST(Installation, BuildDirectoryAndPrefix) {
  const Installation build = installation_of("/src/build/cli/px-exec");
  EXPECT_EQ(build.broker, "/src/build/broker/daemon/pxd");
  EXPECT_EQ(build.library, "/src/build/preload/libpx.so");
  const Installation installed = installation_of("/usr/local/bin/px-exec");
  EXPECT_EQ(installed.broker, "/usr/local/sbin/pxd");
  EXPECT_EQ(installed.library, "/usr/local/lib/px/libpx.so");
}

class Environment : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"PX_SOCKET", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"}) unsetenv(name);
    setenv("HOME", files_.path("").c_str(), 1);
  }

  TemporaryFiles files_;
};

TEST_F(Environment, PolicyOfTheUserBeforeTheSystems) {
  EXPECT_EQ(find_policy("/some/where.yaml"), "/some/where.yaml");
  std::filesystem::create_directories(files_.path(".config/px"));
  const std::string policy = files_.write(".config/px/px.yaml", "version: 1\n");
  EXPECT_EQ(find_policy(""), files_.path("") + "/.config/px/px.yaml");
  std::filesystem::create_directories(files_.path("other/px"));
  const std::string other = files_.write("other/px/px.yaml", "version: 1\n");
  setenv("XDG_CONFIG_HOME", files_.path("other").c_str(), 1);
  EXPECT_EQ(find_policy(""), other);
}

TEST_F(Environment, RelativePolicyBecomesAbsolute) {
  EXPECT_EQ(find_policy("a/../px.yaml"), (std::filesystem::current_path() / "px.yaml").string());
}

TEST_F(Environment, SocketsInOrder) {
  setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  SocketSearch search = socket_search("");
  EXPECT_FALSE(search.named);
  EXPECT_EQ(search.paths, (std::vector<std::string>{"/run/px/px.sock", "/run/user/7/px/px.sock"}));
  setenv("PX_SOCKET", "/elsewhere/px.sock", 1);
  search = socket_search("");
  EXPECT_TRUE(search.named);
  EXPECT_EQ(search.paths, std::vector<std::string>{"/elsewhere/px.sock"});
  search = socket_search("here.sock");
  EXPECT_TRUE(search.named);
  EXPECT_EQ(search.paths,
            std::vector<std::string>{(std::filesystem::current_path() / "here.sock").string()});
}

TEST_F(Environment, WithoutARuntimeDirectoryTheSystemsSocketAlone) {
  EXPECT_EQ(socket_search("").paths, std::vector<std::string>{"/run/px/px.sock"});
}

}  // namespace
}  // namespace px::cli
