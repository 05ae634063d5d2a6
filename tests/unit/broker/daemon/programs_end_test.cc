// SPDX-License-Identifier: MIT
// The end of a real process.
#include "broker/daemon/programs_end.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <csignal>
#include <optional>
#include <string>

#include "broker/daemon/run_directory.h"
#include "broker/sessions/session_table.h"
#include "tests/unit/support/temporary_files.h"
#include "util/process_environment.h"

namespace px::broker {
namespace {

class ProgramsEndTest : public testing::Test {
 protected:
  ProgramsEndTest() {
    directory_.emplace(*RunDirectory::acquire(files_.directory()));
    child_ = fork();
    if (child_ == 0) {
      for (;;) pause();
    }
  }
  ~ProgramsEndTest() override {
    end_child();
    directory_->remove();
  }

  void end_child() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    child_ = 0;
  }

  pid_t child_ = 0;
  TemporaryFiles files_;
  std::optional<RunDirectory> directory_;
  asio::io_context context_;
  SessionTable sessions_{context_, {10, 10}, [](const Session&, SessionTable::Change) {}};
  bool ended_ = false;
  std::string socket_ = (files_.directory() / "px.sock").string();
  ProgramsEnd end_{context_, sessions_, *directory_, socket_, [this] { ended_ = true; }};
};

TEST_F(ProgramsEndTest, ComesOnceTheProcessHasEnded) {
  ASSERT_TRUE(end_.watch(child_));
  EXPECT_EQ(context_.poll(), 0u);
  end_child();
  context_.run();
  EXPECT_TRUE(ended_);
}

TEST_F(ProgramsEndTest, WaitsForEveryOtherProgram) {
  const Peer other{getpid(), getuid(), Fd(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)))};
  ASSERT_TRUE(sessions_.launch(other, {"work"}, ""));
  ASSERT_TRUE(end_.watch(child_));
  end_child();
  EXPECT_EQ(context_.run_one(), 1u) << "the process has ended";
  EXPECT_FALSE(ended_);
  sessions_.forget(getpid());
  while (!ended_) ASSERT_EQ(context_.run_one(), 1u);
}

// A shell in the background, say: it has said no hello, and what it starts will.
TEST_F(ProgramsEndTest, WaitsForWhatWasStartedUnderItAndSaidNoHelloYet) {
  const std::string setting = "PX_SOCKET=" + socket_;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t background = fork();
  if (background == 0) {
    dup2(ends[0], STDIN_FILENO);
    close(ends[1]);
    const char* const words[] = {"/bin/cat", nullptr};
    const char* const variables[] = {setting.c_str(), nullptr};
    execve(words[0], const_cast<char**>(words), const_cast<char**>(variables));
    _exit(127);
  }
  close(ends[0]);
  while (processes_started_with({&setting, 1}) != Started::kSome) {
  }
  ASSERT_TRUE(end_.watch(child_));
  end_child();
  for (int look = 0; look < 3; ++look) ASSERT_EQ(context_.run_one(), 1u);
  EXPECT_FALSE(ended_);
  close(ends[1]);
  waitpid(background, nullptr, 0);
  while (!ended_) ASSERT_EQ(context_.run_one(), 1u);
}

TEST_F(ProgramsEndTest, AProcessThatIsGoneIsAnError) {
  const pid_t gone = child_;
  end_child();
  EXPECT_FALSE(end_.watch(gone));
}

}  // namespace
}  // namespace px::broker
