// SPDX-License-Identifier: MIT
#include "ipc/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

#include "tests/unit/support/temporary_files.h"

namespace px::ipc {
namespace {

bool connects(const std::filesystem::path& path) {
  const Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  return connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

class Listener : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path path() const { return files_.path("socket"); }

  TemporaryFiles files_;
};

TEST_F(Listener, EveryoneMayConnect) {
  const auto socket = listen_at(path(), "broker");
  ASSERT_TRUE(socket) << socket.error().message;
  struct stat status {};
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0666U);
  EXPECT_TRUE(connects(path()));
  EXPECT_NE(fcntl(socket->get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(Listener, AnAbstractNameIsNoFile) {
  const std::string name = "px-listener-test-" + std::to_string(getpid());
  const auto socket = listen_at_abstract(name);
  ASSERT_TRUE(socket) << socket.error().message;
  EXPECT_FALSE(std::filesystem::exists(name));
  EXPECT_FALSE(listen_at_abstract(name)) << "it is taken";
  EXPECT_FALSE(listen_at_abstract(std::string(200, 'x')));
}

TEST_F(Listener, IsReachableForAllWhereEveryDirectoryLetsThemIn) {
  const std::filesystem::path directory = files_.path("outer");
  std::filesystem::create_directories(directory / "inner");
  std::filesystem::permissions(directory / "inner", std::filesystem::perms(0755));
  std::filesystem::permissions(directory, std::filesystem::perms(0750));
  EXPECT_FALSE(is_reachable_for_all(directory / "inner"));
  EXPECT_FALSE(is_reachable_for_all(directory / "missing"));
  EXPECT_TRUE(is_reachable_for_all("/"));
}

TEST_F(Listener, ADeadSocketIsReplacedAndALivingOneIsNot) {
  auto socket = listen_at(path(), "broker");
  ASSERT_TRUE(socket);
  const auto second = listen_at(path(), "broker");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, "another broker is running at " + path().string());
  socket->reset();
  EXPECT_FALSE(connects(path()));
  const auto third = listen_at(path(), "broker");
  ASSERT_TRUE(third) << third.error().message;
  EXPECT_TRUE(connects(path()));
}

TEST_F(Listener, WhatIsNoSocketStays) {
  std::ofstream(path()) << "text";
  const auto socket = listen_at(path(), "broker");
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().message, path().string() + " exists and is not a socket");
  EXPECT_TRUE(std::filesystem::is_regular_file(path()));
}

TEST_F(Listener, APathMayBeTooLong) {
  const auto socket = listen_at(files_.path(std::string(200, 'x')), "broker");
  ASSERT_FALSE(socket);
  EXPECT_NE(socket.error().message.find("longer than 107 bytes"), std::string::npos);
}

// In a child: sd_listen_fds(3) has the descriptor of a number that this process may use itself.
template <typename Check>
bool holds_in_child(Check check) {
  const pid_t child = fork();
  if (child == 0) _exit(check() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void pass(int descriptor) {
  dup2(descriptor, 3);
  setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
  setenv("LISTEN_FDS", "1", 1);
}

TEST_F(Listener, APassedOneIsTakenWithItsPath) {
  const auto socket = listen_at(path(), "broker");
  ASSERT_TRUE(socket);
  EXPECT_TRUE(holds_in_child([&] {
    pass(socket->get());
    const auto passed = passed_listener();
    return passed && *passed && (*passed)->path == path() && (*passed)->socket.get() == 3 &&
           std::getenv("LISTEN_PID") == nullptr && std::getenv("LISTEN_FDS") == nullptr;
  }));
}

TEST_F(Listener, WhatIsPassedMustListenAtAPath) {
  EXPECT_TRUE(holds_in_child([&] {
    pass(::socket(AF_UNIX, SOCK_SEQPACKET, 0));
    return !passed_listener();
  }));
  EXPECT_TRUE(holds_in_child([&] {
    pass(open("/dev/null", O_RDONLY));
    return !passed_listener();
  }));
}

TEST_F(Listener, WhatIsPassedToAnotherProcessIsNotTaken) {
  EXPECT_TRUE(holds_in_child([&] {
    setenv("LISTEN_PID", "1", 1);
    setenv("LISTEN_FDS", "1", 1);
    const auto passed = passed_listener();
    return passed && !*passed;
  }));
}

}  // namespace
}  // namespace px::ipc
