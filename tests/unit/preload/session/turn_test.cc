// SPDX-License-Identifier: MIT
#include "preload/session/turn.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <thread>
#include <vector>

namespace px::shim {
namespace {

constexpr std::int64_t kLong = 20'000;

TEST(Turn, OneAtATime) {
  std::atomic<std::uint32_t> word{0};
  std::atomic<int> inside{0};
  std::atomic<int> done{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] {
        const Turn turn(word, kLong);
        done += turn.came() && ++inside == 1;
        --inside;
      });
    }
  }
  EXPECT_EQ(done, 16);
  EXPECT_EQ(word, 0u);
}

TEST(Turn, ItsEndWakesTheNext) {
  std::atomic<std::uint32_t> word{0};
  std::optional<Turn> first(std::in_place, word, kLong);
  ASSERT_TRUE(first->came());
  std::atomic<bool> came{false};
  std::jthread next([&] {
    const Turn turn(word, kLong);
    came = turn.came();
  });
  first.reset();
  next.join();
  EXPECT_TRUE(came);
}

TEST(Turn, IsNotWaitedForLongerThanPatienceLasts) {
  std::atomic<std::uint32_t> word{0};
  const Turn first(word, kLong);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(Turn(word, 50).came());
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(50));
  EXPECT_EQ(word, 1u) << "it is still the first one's";
}

}  // namespace
}  // namespace px::shim
