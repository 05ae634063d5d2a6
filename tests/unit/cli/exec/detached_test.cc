// SPDX-License-Identifier: MIT
// PX-8: the private broker is started without a trace in what px-exec becomes.
#include "cli/exec/detached.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <set>
#include <sstream>

#include "tests/unit/support/temporary_files.h"

namespace px::cli {
namespace {

using testing::HasSubstr;

// All there is to read, or what came within ten seconds.
std::string read_to_end(const Fd& from) {
  std::string text;
  char piece[256];
  pollfd end{from.get(), POLLIN, 0};
  while (poll(&end, 1, 10000) > 0) {
    const ssize_t count = read(from.get(), piece, sizeof piece);
    if (count <= 0) break;
    text.append(piece, static_cast<std::size_t>(count));
  }
  return text;
}

std::set<std::string> open_descriptors() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    names.insert(entry.path().filename());
  return names;
}

// A shell command's words on its readiness pipe and on standard error.
struct Said {
  std::string ready;
  std::string errors;
};

Said run(const std::string& command, const std::vector<std::string>& variables = {}) {
  const auto detached = start_detached({"/bin/sh", "-c", command}, variables);
  EXPECT_TRUE(detached);
  if (!detached) return {};
  return {read_to_end(detached->ready), read_to_end(detached->errors)};
}

TEST(Detached, SpeaksOnItsTwoPipes) {
  const Said said = run("echo ready >&3; echo wrong >&2; echo nowhere");
  EXPECT_EQ(said.ready, "ready\n");
  EXPECT_EQ(said.errors, "wrong\n");
}

TEST(Detached, HasItsOwnSessionDirectoryAndEnvironment) {
  // Field 6 of stat is the session (proc(5)).
  const Said said =
      run("echo $(cut -d' ' -f6 /proc/$$/stat) $$ $(pwd) $A >&3", {"A=b", "PATH=/usr/bin:/bin"});
  std::istringstream words(said.ready);
  std::string session;
  std::string process;
  std::string directory;
  std::string variable;
  words >> session >> process >> directory >> variable;
  EXPECT_FALSE(session.empty());
  EXPECT_EQ(session, process);
  EXPECT_EQ(directory, "/");
  EXPECT_EQ(variable, "b");
}

TEST(Detached, HasNoOtherDescriptors) {
  const Fd inheritable(fcntl(STDERR_FILENO, F_DUPFD, 5));
  ASSERT_GE(inheritable.get(), 5);
  ASSERT_LE(inheritable.get(), 20);
  const Said said =
      run("for n in 0 1 2 3 4 5 6 7 8 9 11 12 13 14 15 16 17 18 19 20; do "
          "test -e /proc/$$/fd/$n && echo $n; done >&3");
  EXPECT_EQ(said.ready, "0\n1\n2\n3\n");
}

TEST(Detached, HasDefaultSignals) {
  std::signal(SIGHUP, SIG_IGN);
  const Said said = run("exec grep -E 'SigBlk|SigIgn' /proc/self/status >&3", {"PATH=/bin"});
  std::signal(SIGHUP, SIG_DFL);
  EXPECT_THAT(said.ready, HasSubstr("SigBlk:\t0000000000000000"));
  EXPECT_THAT(said.ready, HasSubstr("SigIgn:\t0000000001001000")) << "SIGPIPE, SIGXFSZ";
}

TEST(Detached, HasTheLimitsThatMayBeHad) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 4096;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const Said said = run("echo $(ulimit -S -f) $(ulimit -H -f) >&3");
  setrlimit(RLIMIT_FSIZE, &before);
  std::istringstream words(said.ready);
  std::string soft;
  std::string hard;
  words >> soft >> hard;
  EXPECT_FALSE(soft.empty());
  EXPECT_EQ(soft, hard);
}

TEST(Detached, LeavesNoChildSignalOrDescriptor) {
  sigset_t child_signal;
  sigset_t before;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child_signal, &before);
  const auto descriptors = open_descriptors();
  EXPECT_EQ(run("echo done >&3").ready, "done\n");
  EXPECT_EQ(open_descriptors(), descriptors);
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGCHLD), 0);
  EXPECT_EQ(waitpid(-1, nullptr, __WALL | WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST(Detached, RunsAFunctionWithTwoDescriptorsAlone) {
  int said[2];
  int heard[2];
  ASSERT_EQ(pipe(said), 0);
  ASSERT_EQ(pipe(heard), 0);
  const pid_t starter = getpid();
  ASSERT_TRUE(run_detached({said[1], heard[0]}, [&] {
    const bool apart =
        getpid() != starter && getsid(0) == getpgrp() && getsid(0) != getsid(starter);
    const std::string text = std::to_string(open_descriptors().size()) + (apart ? " apart" : "");
    if (write(said[1], text.data(), text.size()) < 0) _exit(1);
  }));
  close(said[1]);
  close(heard[0]);
  close(heard[1]);
  // Standard input, output and error, the two, and the directory that lists them.
  EXPECT_EQ(read_to_end(Fd(said[0])), "6 apart");
}

TEST(Detached, AFileThatCannotBeRunIsNamed) {
  const auto detached = start_detached({"/px/nowhere"}, {});
  ASSERT_TRUE(detached);
  EXPECT_EQ(read_to_end(detached->errors), "cannot run /px/nowhere: No such file or directory\n");
  EXPECT_EQ(read_to_end(detached->ready), "");
}

}  // namespace
}  // namespace px::cli
