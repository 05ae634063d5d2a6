// SPDX-License-Identifier: MIT
#include "util/timer.h"

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <optional>
#include <string>

namespace px {
namespace {

using namespace std::chrono_literals;

TEST(Timer, CallsBackOnceAndMayBeSetAgainFromThere) {
  asio::io_context context;
  Timer timer(context);
  std::string calls;
  timer.after(0ms, [&] {
    calls += "a";
    timer.after(1ms, [&] { calls += "b"; });
  });
  context.run();
  EXPECT_EQ(calls, "ab");
}

TEST(Timer, TheLastCallAskedForIsTheOnlyOne) {
  asio::io_context context;
  Timer timer(context);
  std::string calls;
  timer.after(1h, [&] { calls += "a"; });
  timer.after(0ms, [&] { calls += "b"; });
  context.run();
  EXPECT_EQ(calls, "b");
}

TEST(Timer, OneThatIsGoneCallsNobody) {
  asio::io_context context;
  bool called = false;
  std::optional<Timer> timer(std::in_place, context);
  timer->after(0ms, [&] { called = true; });
  timer.reset();
  context.run();
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace px
