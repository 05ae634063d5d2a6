// SPDX-License-Identifier: MIT
// The end of a real process.
#include "broker/daemon/programs_end.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <asio/io_context.hpp>
#include <csignal>
#include <optional>

#include "broker/daemon/run_directory.h"
#include "broker/sessions/session_table.h"
#include "tests/unit/support/temporary_files.h"

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
  ProgramsEnd end_{context_, sessions_, *directory_, [this] { ended_ = true; }};
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

TEST_F(ProgramsEndTest, AProcessThatIsGoneIsAnError) {
  const pid_t gone = child_;
  end_child();
  EXPECT_FALSE(end_.watch(gone));
}

}  // namespace
}  // namespace px::broker
