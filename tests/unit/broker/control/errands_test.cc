// SPDX-License-Identifier: MIT
#include "broker/control/errands.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <vector>

#include "plan/wire.h"
#include "tests/unit/support/false_event.h"
#include "util/fd.h"

namespace px::broker {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class ErrandsTest : public testing::Test {
 protected:
  void ask(Errands& errands, uid_t user, const std::string& question, Errands::Work work) {
    Answer answer = errands.ask(user, question, std::move(work));
    answer.later([this](const Answer& later) {
      std::string text;
      for (const auto& packet : later.packets) text += plan::parse_text(packet).value_or("?");
      answers.push_back(text);
    });
  }
  void run_until(std::size_t count) {
    while (answers.size() < count && context.run_one_for(20s) > 0) {
    }
    ASSERT_EQ(answers.size(), count);
  }

  asio::io_context context;
  std::vector<std::string> answers;
};

// Whether it has ended and nobody has waited for it, or runs.
bool is_child(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// Seen by the children, too.
struct Shared {
  std::atomic<int> begun;
};
Shared& shared_page() {
  void* page =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return *new (page) Shared{};
}

TEST_F(ErrandsTest, AChildAnswersAndChangesNothingHere) {
  Errands errands(context);
  int number = 5;
  ask(errands, 1, "number", [&] { return std::to_string(++number) + std::string(200000, 'x'); });
  run_until(1);
  EXPECT_EQ(answers[0], "6" + std::string(200000, 'x'));
  EXPECT_EQ(number, 5);
}

TEST_F(ErrandsTest, ItKeepsNothingOpen) {
  Errands errands(context);
  const Fd held(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100));
  ask(errands, 1, "open", [&] { return std::to_string(fcntl(held.get(), F_GETFD)); });
  run_until(1);
  EXPECT_EQ(answers[0], "-1");
}

TEST_F(ErrandsTest, WhoAsksTheSameSharesOneChild) {
  Errands errands(context, &counted_as_itself, {.at_a_time = 1});
  Shared& shared = shared_page();
  const auto work = [&] { return std::to_string(++shared.begun); };
  ask(errands, 1, "a", work);
  for (int i = 0; i < 50; ++i) ask(errands, 1, "a", work);
  for (int i = 0; i < 50; ++i) ask(errands, 2, "a", work);
  run_until(101);
  EXPECT_EQ(shared.begun, 2) << "the first had begun when the others asked";
  EXPECT_EQ(answers.front(), "1");
  EXPECT_EQ(answers.back(), "2");
}

TEST_F(ErrandsTest, UsersTakeTurns) {
  Errands errands(context, &counted_as_itself, {.at_a_time = 1, .rest = 0ms});
  for (const char* question : {"a1", "a2", "a3"})
    ask(errands, 1, question, [question] { return question; });
  ask(errands, 2, "b1", [] { return "b1"; });
  run_until(4);
  EXPECT_THAT(answers, ElementsAre("a1", "b1", "a2", "a3"));
}

TEST_F(ErrandsTest, AUserHasOneChildAtATimeAndRestsAfterIt) {
  Errands errands(context, &counted_as_itself, {.rest = 20s});
  Shared& shared = shared_page();
  ask(errands, 1, "first", [] { return "first"; });
  ask(errands, 1, "second", [&] { return std::to_string(++shared.begun); });
  ask(errands, 2, "another's", [] { return "another's"; });
  run_until(2);
  EXPECT_THAT(answers, UnorderedElementsAre("first", "another's"));
  ask(errands, 3, "a third's", [] { return "a third's"; });
  run_until(3);
  EXPECT_EQ(shared.begun, 0);
}

TEST_F(ErrandsTest, AnAdministratorNeedNotRest) {
  Errands errands(context, &counted_as_itself, {.rest = 20s});
  for (const char* question : {"first", "second", "third"})
    ask(errands, 0, question, [question] { return question; });
  run_until(3);
}

// The child of a program that has much open has more to close.
TEST_F(ErrandsTest, TheChildHasClosedWhatItGotWhenItHasBegun) {
  std::vector<Fd> held;
  for (int i = 0; i < 500; ++i) held.emplace_back(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100));
  Errands errands(context, &counted_as_itself, {.at_a_time = 10});
  for (uid_t user = 0; user < 10; ++user) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    ask(errands, user, std::to_string(user), [] {
      for (;;) pause();
      return "";
    });
    writer.reset();
    char byte = 0;
    EXPECT_EQ(read(reader.get(), &byte, 1), 0) << "nobody has the other end open any more";
  }
}

TEST_F(ErrandsTest, OneThatIsLateIsKilledAndOthersGoOn) {
  Errands errands(context, &counted_as_itself, {.at_a_time = 1, .deadline = 50ms});
  ask(errands, 1, "stuck", [] {
    for (;;) pause();
    return "";
  });
  ask(errands, 1, "next", [] { return "next"; });
  run_until(2);
  EXPECT_THAT(answers[0], HasSubstr("too long"));
  EXPECT_EQ(answers[1], "next");
}

TEST_F(ErrandsTest, AFalseEventLeavesNoZombie) {
  Errands errands(context);
  Shared& shared = shared_page();
  with_false_event(context, [&] {
    ask(errands, 1, "tells its number", [&] {
      shared.begun = getpid();
      return std::string();
    });
  });
  run_until(1);
  const pid_t child = shared.begun;
  while (is_child(child) && context.run_one_for(20s) > 0) {
  }
  EXPECT_FALSE(is_child(child));
}

TEST_F(ErrandsTest, OneThatFailsSaysSo) {
  Errands errands(context);
  ask(errands, 1, "throws", []() -> std::string { throw std::runtime_error("no memory"); });
  run_until(1);
  EXPECT_THAT(answers[0], HasSubstr("no memory"));
  ask(errands, 1, "dies", []() -> std::string { _exit(1); });
  run_until(2);
  EXPECT_THAT(answers[1], HasSubstr("no answer"));
}

TEST_F(ErrandsTest, NoneBeginsWhileTooManyAreLost) {
  Errands errands(context, &counted_as_itself, {.at_a_time = 1, .lost = 0});
  ask(errands, 1, "a", [] { return "a"; });
  run_until(1);
  EXPECT_THAT(answers[0], HasSubstr("try again later"));
}

}  // namespace
}  // namespace px::broker
