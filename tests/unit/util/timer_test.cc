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

TEST(Timer, OneThatEndsOrIsSetAnewWhenItHasExpiredCallsNobody) {
  asio::io_context context;
  std::string calls;
  Timer first(context);
  std::optional<Timer> ended(std::in_place, context);
  Timer set_anew(context);
  first.after(0ms, [&] {
    calls += "a";
    ended.reset();
    set_anew.after(1ms, [&] { calls += "d"; });
  });
  ended->after(0ms, [&] { calls += "b"; });
  set_anew.after(0ms, [&] { calls += "c"; });
  context.run();  // all three have expired when it begins
  EXPECT_EQ(calls, "ad");
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
