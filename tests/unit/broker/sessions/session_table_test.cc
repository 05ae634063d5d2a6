// SPDX-License-Identifier: MIT
// Sessions of real processes, as the kernel reports their end.
#include "broker/sessions/session_table.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <asio/io_context.hpp>
#include <csignal>

#include "tests/unit/support/false_event.h"

namespace px::broker {
namespace {

using namespace std::chrono_literals;

// A child that lives until it is ended, as a peer of the broker.
class Program {
 public:
  Program() {
    pid_ = fork();
    if (pid_ == 0) {
      for (;;) pause();
    }
  }
  ~Program() { end(); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  Peer peer() const {
    return {pid_, getuid(), Fd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)))};
  }
  void end() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

class SessionTableTest : public testing::Test {
 protected:
  SessionTable table(std::size_t per_user, std::size_t in_all = 100) {
    return SessionTable(context_, {per_user, in_all},
                        [this](const Session&, SessionTable::Change change) {
                          (change == SessionTable::Change::kStarted ? started_ : ended_) += 1;
                        });
  }
  void run_until_ended(int count) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (ended_ < count && std::chrono::steady_clock::now() < deadline) context_.run_one_for(1s);
    ASSERT_EQ(ended_, count);
  }

  asio::io_context context_;
  int started_ = 0;
  int ended_ = 0;
};

TEST_F(SessionTableTest, ASessionLastsAsLongAsItsProcess) {
  auto sessions = table(10);
  Program program;
  ASSERT_TRUE(sessions.hello(program.peer(), {"work"}, {}));
  EXPECT_EQ(sessions.size(), 1u);
  EXPECT_EQ(sessions.find(program.pid())->assignment.profile, "work");
  EXPECT_EQ(sessions.find(program.pid())->state, SessionState::kCovered);
  EXPECT_EQ(sessions.programs_by_profile(), (std::map<std::string, std::size_t>{{"work", 1}}));
  program.end();
  run_until_ended(1);
  EXPECT_EQ(sessions.size(), 0u);
}

TEST_F(SessionTableTest, AFalseEventEndsNoSession) {
  auto sessions = table(10);
  Program program;
  with_false_event(context_, [&] { ASSERT_TRUE(sessions.hello(program.peer(), {"work"}, {})); });
  EXPECT_EQ(sessions.size(), 1u);
  program.end();
  run_until_ended(1);
}

TEST_F(SessionTableTest, QuotasAreGivenBack) {
  auto sessions = table(2);
  Program a, b, c;
  EXPECT_TRUE(sessions.hello(a.peer(), {"work"}, {}));
  EXPECT_TRUE(sessions.hello(b.peer(), {"work"}, {}));
  EXPECT_FALSE(sessions.hello(c.peer(), {"work"}, {}));
  EXPECT_TRUE(sessions.hello(a.peer(), {"work"}, {})) << "one process counts once";
  b.end();
  run_until_ended(1);
  EXPECT_TRUE(sessions.hello(c.peer(), {"work"}, {}));
}

TEST_F(SessionTableTest, CountsOfAllHellosOfOneProcessAddUp) {
  auto sessions = table(10);
  Program program;
  for (int i = 0; i < 12; ++i) {
    const auto counters = sessions.hello(program.peer(), {"work"}, {});
    ASSERT_TRUE(counters);
    void* page =
        mmap(nullptr, plan::kCountersSize, PROT_READ | PROT_WRITE, MAP_SHARED, counters->get(), 0);
    ASSERT_NE(page, MAP_FAILED);
    static_cast<plan::Counters*>(page)->routed += 10;
    static_cast<plan::Counters*>(page)->refused += 1;
    munmap(page, plan::kCountersSize);
  }
  EXPECT_EQ(sessions.find(program.pid())->totals(), (Totals{120, 0, 12, 0}));
  EXPECT_EQ(started_, 1);
}

TEST_F(SessionTableTest, AProgramCannotShrinkItsPageUnderTheBroker) {
  auto sessions = table(10);
  Program program;
  const auto counters = sessions.hello(program.peer(), {"work"}, {});
  ASSERT_TRUE(counters);
  EXPECT_EQ(ftruncate(counters->get(), 0), -1);
  EXPECT_EQ(sessions.find(program.pid())->totals(), Totals{});
}

TEST_F(SessionTableTest, LaunchThenHello) {
  auto sessions = table(10);
  Program program;
  ASSERT_TRUE(sessions.launch(program.peer(), {"work"}, "statically linked"));
  EXPECT_EQ(sessions.find(program.pid())->state, SessionState::kUncovered);
  EXPECT_EQ(sessions.find(program.pid())->why_uncovered, "statically linked");
  ASSERT_TRUE(sessions.launch(program.peer(), {"work"}, ""));
  EXPECT_EQ(sessions.find(program.pid())->state, SessionState::kLaunched);
  ASSERT_TRUE(sessions.hello(program.peer(), {"play"}, {}));
  EXPECT_EQ(sessions.find(program.pid())->state, SessionState::kCovered);
  EXPECT_EQ(sessions.find(program.pid())->assignment.profile, "play");
}

}  // namespace
}  // namespace px::broker
