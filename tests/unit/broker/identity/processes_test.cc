// SPDX-License-Identifier: MIT
// What /proc says of this process and a child of its own.
#include "broker/identity/processes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "util/fd.h"

namespace px::broker {
namespace {

constexpr pid_t kNobody = 0x7ffffffe;  // above any PID_MAX_LIMIT

TEST(Processes, KnowsTheProgramOfAProcess) {
  const Program program = program_of(getpid(), 1000, {});
  EXPECT_EQ(program.executable, std::filesystem::read_symlink("/proc/self/exe").string());
  EXPECT_EQ(program.uid, 1000u);
  const auto own = program_of(getpid());
  ASSERT_TRUE(own);
  EXPECT_EQ(own->uid, getuid());
  EXPECT_FALSE(program_of(kNobody));
}

// What user_of() says of a process that is these users.
uid_t user_of_a_process(uid_t real, uid_t effective, uid_t saved, uid_t connected) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const pid_t child = fork();
  if (child == 0) {
    const bool done = setresuid(real, effective, saved) == 0;
    if (!done || write(writer.get(), "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  writer.reset();
  char ready = 0;
  EXPECT_EQ(read(reader.get(), &ready, 1), 1);
  const uid_t user = user_of(child, connected);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return user;
}

TEST(Processes, AProcessThatIsSeveralUsersIsRoots) {
  EXPECT_EQ(user_of(getpid(), getuid()), getuid());
  EXPECT_EQ(user_of(kNobody, 1000), 1000u) << "nothing else is known";
  if (getuid() != 0) GTEST_SKIP() << "needs root: no other user";
  EXPECT_EQ(user_of_a_process(1000, 1000, 1000, 1000), 1000u);
  EXPECT_EQ(user_of_a_process(0, 1000, 0, 1000), 0u);
  EXPECT_EQ(user_of_a_process(1000, 1000, 0, 1000), 0u);
  EXPECT_EQ(user_of_a_process(1001, 1000, 1000, 1000), 0u);
  EXPECT_EQ(user_of_a_process(0, 0, 0, 1000), 0u);
  EXPECT_EQ(user_of_a_process(1000, 1000, 1000, 0), 0u);
}

TEST(Processes, TakesTheDescriptorsLinkWhereItMayNotLook) {
  EXPECT_EQ(program_of(kNobody, 0, "/usr/bin/a").executable, "/usr/bin/a");
  EXPECT_EQ(program_of(kNobody, 0, "/usr/bin/a (deleted)").executable, "/usr/bin/a") << "an update";
  EXPECT_NE(program_of(getpid(), 0, "/usr/bin/a").executable, "/usr/bin/a")
      << "the kernel's own word";
}

TEST(Processes, TakesNothingThatIsNoFile) {
  EXPECT_EQ(program_of(kNobody, 0, "pipe:[123]").executable, "");
  EXPECT_EQ(program_of(kNobody, 0, {}).executable, "");
}

TEST(Processes, FollowsTheParentsWhateverTheyAreCalled) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_NAME, "a) R 1 (b");
    (void)!write(ends[1], "x", 1);
    for (;;) pause();
  }
  char ready;
  ASSERT_EQ(read(ends[0], &ready, 1), 1);
  const auto ancestors = ancestors_of(child);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
  ASSERT_GE(ancestors.size(), 2u);
  EXPECT_EQ(ancestors[0], getpid());
  EXPECT_EQ(ancestors[1], getppid());
}

TEST(Processes, SeesNoUncoveredProgramWhereNothingMatches) {
  const auto found = uncovered_programs({}, std::nullopt, [](pid_t) { return false; });
  EXPECT_TRUE(found.programs.empty());
}

// Neither a program nor one that cannot be seen: it has ended.
TEST(Processes, AZombieIsNoProgram) {
  const auto policy =
      parse_policy("version: 1\nprofiles: { work: { match: [ { exe: \"/**\" } ] } }", "px.yaml");
  ASSERT_TRUE(policy);
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t ended{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
  std::vector<pid_t> others;
  const auto known = [&](pid_t pid) {
    if (pid != child) others.push_back(pid);
    return pid != child;
  };
  const auto found = uncovered_programs(*policy, std::nullopt, known);
  EXPECT_TRUE(found.programs.empty());
  EXPECT_EQ(found.unseen, 0u);
  EXPECT_FALSE(others.empty());
  waitpid(child, nullptr, 0);
}

TEST(Processes, SeesUncoveredPrograms) {
  const auto self = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto policy = parse_policy(
      "version: 1\nprofiles: { work: { match: [ { exe: " + self + " } ] } }", "px.yaml");
  ASSERT_TRUE(policy);
  const auto pids = [&](std::optional<uid_t> user, bool known) {
    std::vector<pid_t> pids;
    const auto found =
        uncovered_programs(*policy, user, [&](pid_t pid) { return known && pid == getpid(); });
    // Others run the same file: the tests of another subject, at the same time.
    for (const auto& program : found.programs) {
      if (program.pid == getpid()) pids.push_back(program.pid);
    }
    return pids;
  };
  EXPECT_EQ(pids(getuid(), false), std::vector<pid_t>{getpid()});
  EXPECT_EQ(pids(getuid() + 1, false), std::vector<pid_t>{});
  EXPECT_EQ(pids(std::nullopt, true), std::vector<pid_t>{});
}

}  // namespace
}  // namespace px::broker
