// SPDX-License-Identifier: MIT
#include "ipc/peer.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

namespace px::ipc {
namespace {

bool is_readable(const Fd& fd, int milliseconds) {
  pollfd waiting{fd.get(), POLLIN, 0};
  return poll(&waiting, 1, milliseconds) == 1;
}

TEST(Peer, IsWhoTheKernelSays) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const Fd a(ends[0]);
  const Fd b(ends[1]);
  const auto peer = peer_of(a.get());
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->pid, getpid());
  EXPECT_EQ(peer->uid, getuid());
  EXPECT_TRUE(peer->process);
  EXPECT_FALSE(is_readable(peer->process, 0)) << "it lives";
  EXPECT_EQ(executable_of(getpid()), std::filesystem::read_symlink("/proc/self/exe").string());
}

TEST(Peer, IsAnErrorWhereThereIsNone) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Fd a(ends[0]);
  const Fd b(ends[1]);
  EXPECT_FALSE(peer_of(a.get()));
}

TEST(Peer, ItsNameStandsForAnExecutableThatMayNotBeRead) {
  const pid_t kernel_thread = 2;
  if (access("/proc/2/comm", R_OK) != 0) GTEST_SKIP() << "no kernel threads are seen here";
  EXPECT_EQ(executable_of(kernel_thread).front(), '[');
}

}  // namespace
}  // namespace px::ipc
