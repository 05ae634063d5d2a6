// SPDX-License-Identifier: MIT
#include "preload/process/notice.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <string>

#include "tests/unit/preload/shim_fixture.h"

namespace px::shim {
namespace {

// Writes "text" as the notice with `fd` as stderr.
void write_to(int fd, std::string_view text) {
  const int kept = ::dup(STDERR_FILENO);
  ::dup2(fd, STDERR_FILENO);
  write_notice(test_settings(), std::array{text});
  ::dup2(kept, STDERR_FILENO);
  ::close(kept);
}

class NoticeTest : public testing::Test {
 protected:
  NoticeTest() { EXPECT_EQ(::pipe2(pipe_, O_CLOEXEC | O_NONBLOCK), 0); }
  ~NoticeTest() override {
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }
  std::string read_all() {
    std::array<char, 4096> buffer;
    const ssize_t size = ::read(pipe_[0], buffer.data(), buffer.size());
    return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }
  int pipe_[2];
};

TEST_F(NoticeTest, IsOneLineOfPrintableText) {
  write_to(pipe_[1], "a\nb\x1b[31m\xc3\xa4");
  EXPECT_EQ(read_all(), "px: test: a?b?[31m??\n");
}

TEST_F(NoticeTest, IsForNoFileThatHasTakenTheNumberOfStderr) {
  const Settings settings = test_settings();
  const int kept = ::dup(STDERR_FILENO);
  ::dup2(pipe_[1], STDERR_FILENO);
  write_notice(settings, std::array{std::string_view("text")});
  const std::string of_another = read_all();
  ::dup2(kept, STDERR_FILENO);
  ::close(kept);
  EXPECT_EQ(of_another, "");
}

TEST_F(NoticeTest, IsForStderrThatIsOpenedAgain) {
  const int kept = ::dup(STDERR_FILENO);
  ::dup2(pipe_[1], STDERR_FILENO);
  const Settings settings = test_settings();
  ::close(STDERR_FILENO);
  ::dup2(pipe_[1], STDERR_FILENO);
  write_notice(settings, std::array{std::string_view("text")});
  ::dup2(kept, STDERR_FILENO);
  ::close(kept);
  EXPECT_EQ(read_all(), "px: test: text\n");
}

TEST_F(NoticeTest, IsCutToFit) {
  write_to(pipe_[1], std::string(2000, 'x'));
  const std::string line = read_all();
  EXPECT_EQ(line.size(), 512u);
  EXPECT_EQ(line.back(), '\n');
}

TEST_F(NoticeTest, DoesNotKillAProgramWhoseStderrNobodyReads) {
  ::close(pipe_[0]);
  pipe_[0] = -1;
  write_to(pipe_[1], "x");
  sigset_t pending;
  ::sigpending(&pending);
  EXPECT_EQ(::sigismember(&pending, SIGPIPE), 0);
}

TEST_F(NoticeTest, DoesNotWaitForAReader) {
  ::fcntl(pipe_[1], F_SETFL, 0);  // blocking, as a program's stderr is
  const int size = ::fcntl(pipe_[1], F_SETPIPE_SZ, 4096);
  const std::string full(static_cast<std::size_t>(size), 'x');
  ASSERT_EQ(::write(pipe_[1], full.data(), full.size()), size);
  write_to(pipe_[1], "x");
  EXPECT_EQ(read_all(), full);
}

TEST_F(NoticeTest, LeavesTheSignalMaskAlone) {
  sigset_t mine;
  ::sigemptyset(&mine);
  ::sigaddset(&mine, SIGUSR1);
  sigset_t before;
  ::sigprocmask(SIG_SETMASK, &mine, &before);
  write_to(pipe_[1], "x");
  sigset_t after;
  ::sigprocmask(SIG_SETMASK, &before, &after);
  for (int signal = 1; signal < NSIG; ++signal) {
    EXPECT_EQ(::sigismember(&after, signal), signal == SIGUSR1) << signal;
  }
}

}  // namespace
}  // namespace px::shim
