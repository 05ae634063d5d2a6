// SPDX-License-Identifier: MIT
#include "preload/session/answered_names.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace px::shim {
namespace {

bundle::Address numbered(std::uint32_t number) {
  return bundle::ipv4_address(0x0a000000 + number);
}

dns::NameChain chain_of(std::initializer_list<std::string> names) {
  dns::NameChain chain;
  for (const std::string& name : names) chain.add(*dns::Name::from_text(name));
  return chain;
}

class AnsweredNamesTest : public testing::Test {
 protected:
  using Names = std::vector<std::string>;
  [[nodiscard]] Names names_of(const bundle::Address& address) const {
    dns::NameChain chain;
    Names names;
    if (!table_->find(address, &chain)) return names;
    for (auto rest = chain.wire(); const auto name = dns::next_name(&rest);) {
      std::array<char, dns::kNameTextSize> buffer;
      names.emplace_back(name->text(buffer));
    }
    return names;
  }
  [[nodiscard]] bool knows(std::uint32_t number) const {
    return !names_of(numbered(number)).empty();
  }

  std::unique_ptr<AnsweredNames> table_ = std::make_unique<AnsweredNames>();
};

TEST_F(AnsweredNamesTest, IsEmptyUntilSomethingIsRemembered) {
  EXPECT_TRUE(table_->empty());
  EXPECT_FALSE(knows(0));
  EXPECT_EQ(names_of({}), Names());
  table_->remember(numbered(1), {});
  EXPECT_TRUE(table_->empty());
  table_->remember(numbered(1), chain_of({"Git.corp.example", "cdn.example"}));
  EXPECT_FALSE(table_->empty());
  EXPECT_EQ(names_of(numbered(1)), (Names{"git.corp.example", "cdn.example"}));
  EXPECT_FALSE(knows(2));
}

TEST_F(AnsweredNamesTest, TheNameAskedLastCounts) {
  for (int i = 0; i < 100; ++i) {
    table_->remember(numbered(1), chain_of({"a.example"}));
    EXPECT_EQ(names_of(numbered(1)), Names{"a.example"});
    table_->remember(numbered(1), chain_of({"b.example"}));
    EXPECT_EQ(names_of(numbered(1)), Names{"b.example"});
    table_->remember(numbered(1), chain_of({"b.example"}));
    EXPECT_EQ(names_of(numbered(1)), Names{"b.example"});
  }
}

// Asked again and again, an address takes no other's room.
TEST_F(AnsweredNamesTest, AnAddressTakesTwoOfAPlaceAtMost) {
  for (std::uint32_t i = 0; i < 100; ++i) table_->remember(numbered(i), chain_of({"old.example"}));
  for (int i = 0; i < 1000; ++i) {
    table_->remember(numbered(200), chain_of({i % 2 == 0 ? "a.example" : "b.example"}));
  }
  for (std::uint32_t i = 0; i < 100; ++i) EXPECT_TRUE(knows(i)) << i;
}

TEST_F(AnsweredNamesTest, WhatIsNotUsedForLongestMakesRoom) {
  constexpr std::uint32_t kMany = 4 * AnsweredNames::kPlaces * AnsweredNames::kWays;
  table_->remember(numbered(1), chain_of({"unused.example"}));
  for (std::uint32_t i = 1000; i < 1000 + kMany; ++i) {
    // A connect, now and then.
    if (i % 64 == 0) {
      EXPECT_TRUE(i < 1100 || knows(2)) << i;
    }
    if (i == 1050) table_->remember(numbered(2), chain_of({"used.example"}));
    table_->remember(numbered(i), chain_of({"other.example"}));
  }
  EXPECT_FALSE(knows(1));
  EXPECT_EQ(names_of(numbered(2)), Names{"used.example"});
  std::size_t left = 0;
  for (std::uint32_t i = 1000; i < 1000 + kMany; ++i) left += knows(i) ? 1 : 0;
  EXPECT_LE(left, AnsweredNames::kPlaces * AnsweredNames::kWays);
  EXPECT_GE(left, AnsweredNames::kPlaces * AnsweredNames::kWays / 2);
  for (std::uint32_t i = 1000 + kMany - 16; i < 1000 + kMany; ++i) EXPECT_TRUE(knows(i)) << i;
}

TEST_F(AnsweredNamesTest, BothFamilies) {
  const auto ipv6 = *bundle::address_from_text("2001:db8::1");
  table_->remember(ipv6, chain_of({"six.example"}));
  table_->remember(*bundle::address_from_text("::ffff:10.0.0.1"), chain_of({"four.example"}));
  EXPECT_EQ(names_of(ipv6), Names{"six.example"});
  EXPECT_EQ(names_of(numbered(1)), Names{"four.example"});
}

TEST_F(AnsweredNamesTest, AForkedChildsNamesAreKnownWhereTheyAreShared) {
  const auto remember_in_child = [&] {
    const pid_t child = ::fork();
    if (child == 0) {
      table_->remember(numbered(1), chain_of({"a.example"}));
      ::_exit(0);
    }
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  };
  remember_in_child();
  EXPECT_TRUE(table_->empty());
  void* shared = ::mmap(nullptr, sizeof(AnsweredNames::Table), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  table_->share(static_cast<AnsweredNames::Table*>(shared));
  EXPECT_TRUE(table_->empty());
  remember_in_child();
  EXPECT_EQ(names_of(numbered(1)), Names{"a.example"});
  table_.reset();
  ::munmap(shared, sizeof(AnsweredNames::Table));
}

// What a process leaves that is killed while it writes, and what one is that is slow.
TEST_F(AnsweredNamesTest, ASlotThatStaysHalfWrittenIsWaitedForOnce) {
  using Clock = std::chrono::steady_clock;
  const auto table = std::make_unique<AnsweredNames::Table>();
  table_->share(table.get());
  table_->remember(numbered(1), chain_of({"a.example"}));
  const auto turn_all = [&] {
    for (auto& place : table->places) {
      for (auto& slot : place) slot.sequence.fetch_add(1);
    }
  };
  turn_all();
  const auto begin = Clock::now();
  EXPECT_FALSE(knows(1));
  const auto first = Clock::now() - begin;
  auto least = Clock::duration::max();
  for (int i = 0; i < 10; ++i) {
    const auto start = Clock::now();
    for (int k = 0; k < 50; ++k) EXPECT_FALSE(knows(1));
    least = std::min(least, Clock::now() - start);
  }
  EXPECT_LT(least, first) << "fifty are as dear as the first";
  turn_all();
  EXPECT_EQ(names_of(numbered(1)), Names{"a.example"});
  for (std::uint32_t i = 2; i < 5000; ++i) table_->remember(numbered(i), chain_of({"b.example"}));
  EXPECT_FALSE(knows(1)) << "it makes room like all others";
  EXPECT_TRUE(knows(4999));
}

// An address that was given once has names from then on, whole ones, whatever is written meanwhile:
// a connect must not miss its rule.
TEST_F(AnsweredNamesTest, ThreadsAlwaysFindWholeNames) {
  constexpr int kRounds = 5'000;
  const dns::NameChain first = chain_of({"a.example", std::string(60, 'a') + ".example"});
  const dns::NameChain second = chain_of({"b.example", std::string(60, 'b') + ".example"});
  table_->remember(numbered(1), first);
  std::atomic<int> bad{0};
  std::atomic<int> writers{3};
  const auto write = [&](std::uint32_t number) {
    for (int i = 0; i < kRounds; ++i)
      table_->remember(numbered(number), i % 2 == 0 ? second : first);
    --writers;
  };
  const auto read = [&] {
    while (writers > 0) {
      dns::NameChain found;
      const bool known = table_->find(numbered(1), &found);
      const bool whole = found.holds(*dns::Name::from_text("a.example"))
                             ? std::ranges::equal(found.wire(), first.wire())
                             : std::ranges::equal(found.wire(), second.wire());
      if (!known || !whole) ++bad;
    }
  };
  std::vector<std::thread> threads;
  for (const std::uint32_t number : {1u, 1u, 2u}) threads.emplace_back(write, number);
  for (int i = 0; i < 3; ++i) threads.emplace_back(read);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(bad, 0);
}

}  // namespace
}  // namespace px::shim
