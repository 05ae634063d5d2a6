// SPDX-License-Identifier: MIT
#include "preload/names/bundle_cache.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <initializer_list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace px::shim {
namespace {

using bundle::Bundle;
using bundle::Endpoint;

Endpoint at(std::uint32_t number, std::uint16_t port = 80) {
  return {.address = bundle::ipv4_address(0x0a000000 + number), .port = port};
}

Bundle of(std::initializer_list<std::uint32_t> numbers, std::uint16_t port = 80) {
  Bundle bundle;
  for (const std::uint32_t number : numbers) bundle.endpoints[bundle.count++] = at(number, port);
  return bundle;
}

class BundleCacheTest : public testing::Test {
 protected:
  [[nodiscard]] std::vector<Endpoint> members(const Endpoint& endpoint) const {
    Bundle found;
    if (!table_->find(endpoint, &found)) return {};
    return {found.members().begin(), found.members().end()};
  }
  [[nodiscard]] std::string name(const Bundle& bundle) const {
    std::array<char, BundleCache::kNameSize> buffer;
    return std::string(table_->name_of(bundle, buffer));
  }

  std::unique_ptr<BundleCache> table_ = std::make_unique<BundleCache>();
};

TEST_F(BundleCacheTest, IsEmptyUntilSomethingIsRemembered) {
  Bundle found;
  EXPECT_TRUE(table_->empty());
  EXPECT_FALSE(table_->find(at(1), &found));
  EXPECT_FALSE(table_->find({}, &found));
  table_->remember({});
  EXPECT_TRUE(table_->empty());
  table_->remember(of({1, 2}));
  EXPECT_FALSE(table_->empty());
}

TEST_F(BundleCacheTest, AForkedChildsBundlesAreKnownWhereTheyAreShared) {
  const auto remember_in_child = [&] {
    const pid_t child = ::fork();
    if (child == 0) {
      table_->remember(of({1, 2}), "db.bundle");
      ::_exit(0);
    }
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  };
  remember_in_child();
  EXPECT_TRUE(table_->empty());
  void* shared = ::mmap(nullptr, sizeof(BundleCache::Table), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  table_->share(static_cast<BundleCache::Table*>(shared));
  EXPECT_TRUE(table_->empty());
  remember_in_child();
  EXPECT_EQ(members(at(2)).size(), 2u);
  EXPECT_EQ(name(of({1, 2})), "db.bundle");
  table_.reset();
  ::munmap(shared, sizeof(BundleCache::Table));
}

TEST_F(BundleCacheTest, FindsABundleByEachOfItsMembersAndItsPort) {
  Bundle bundle = of({3, 1, 2});
  bundle.alternatives = 2;
  bundle.implicit = true;
  table_->remember(bundle);
  for (const std::uint32_t number : {1U, 2U, 3U}) {
    Bundle found;
    ASSERT_TRUE(table_->find(at(number), &found));
    EXPECT_EQ(found.count, 3u);
    EXPECT_EQ(found.alternatives, 2u);
    EXPECT_TRUE(found.implicit);
    EXPECT_FALSE(found.truncated);
    EXPECT_EQ(found.endpoints[0].address, at(3).address);
    EXPECT_EQ(found.endpoints[2].address, at(2).address);
  }
  EXPECT_TRUE(members(at(4)).empty());
  EXPECT_TRUE(members(at(1, 81)).empty());
}

TEST_F(BundleCacheTest, AddressesWithoutAPortAreAnyPortButAKnownPortComesFirst) {
  table_->remember(of({1, 2}, 80));
  table_->remember(of({1, 3, 4}, 0));
  ASSERT_EQ(members(at(1, 80)).size(), 2u);
  ASSERT_EQ(members(at(1, 443)).size(), 3u);
  for (const Endpoint& member : members(at(1, 443))) EXPECT_EQ(member.port, 443);
}

TEST_F(BundleCacheTest, TheNewestCounts) {
  table_->remember(of({1, 2}));
  table_->remember(of({1, 3, 4}));
  EXPECT_EQ(members(at(1)).size(), 3u);
  table_->remember(of({1, 2}));
  EXPECT_EQ(members(at(1)).size(), 2u);
}

TEST_F(BundleCacheTest, TheScopeCountsForLinkLocalAddressesAlone) {
  Endpoint link_local{.address = {}, .port = 80, .scope = 2};
  link_local.address.bytes[0] = 0xfe;
  link_local.address.bytes[1] = 0x80;
  Endpoint global = link_local;
  global.address.bytes[0] = 0x20;
  Bundle bundle;
  bundle.endpoints[0] = link_local;
  bundle.endpoints[1] = global;
  bundle.count = 2;
  table_->remember(bundle);
  EXPECT_EQ(members(link_local).size(), 2u);
  link_local.scope = 3;
  EXPECT_TRUE(members(link_local).empty());
  global.scope = 3;
  EXPECT_EQ(members(global).size(), 2u);
}

TEST_F(BundleCacheTest, TheOldestMakesRoom) {
  constexpr std::uint32_t kMany = BundleCache::kSize;
  for (std::uint32_t n = 0; n < kMany; ++n) table_->remember(of({2 * n, 2 * n + 1}));
  EXPECT_EQ(members(at(0)).size(), 2u);
  table_->remember(of({0, 1}));  // is the newest from here on
  table_->remember(of({9000, 9001}));
  EXPECT_EQ(members(at(0)).size(), 2u);
  EXPECT_TRUE(members(at(2)).empty());
  EXPECT_EQ(members(at(5)).size(), 2u);
  EXPECT_EQ(members(at(9001)).size(), 2u);
}

TEST_F(BundleCacheTest, CompletesWhatWasTruncated) {
  const Bundle whole = of({1, 2, 3, 4, 5, 6, 7, 8});
  table_->remember(whole);
  Bundle part = of({1, 2, 3, 4, 5, 6}, 443);
  part.truncated = true;
  ASSERT_TRUE(table_->complete(&part));
  ASSERT_EQ(part.count, 8u);
  EXPECT_FALSE(part.truncated);
  EXPECT_EQ(part.endpoints[7].address, at(8).address);
  EXPECT_EQ(part.endpoints[7].port, 443);
  Bundle other = of({1, 3});
  other.truncated = true;
  EXPECT_FALSE(table_->complete(&other));
  EXPECT_EQ(other.count, 2u);
}

TEST_F(BundleCacheTest, KnowsTheNameOfExactlyThatBundle) {
  table_->remember(of({1, 2}), "www.example");
  EXPECT_EQ(name(of({1, 2})), "www.example");
  EXPECT_EQ(name(of({1, 2}, 443)), "www.example");
  EXPECT_EQ(name(of({2, 1})), "");
  EXPECT_EQ(name(of({1})), "");
  EXPECT_EQ(name(of({1, 2, 3})), "");
  table_->remember(of({1, 2}), "other.example");
  EXPECT_EQ(name(of({1, 2})), "other.example");
  table_->remember(of({3, 4}), std::string(BundleCache::kNameSize, 'a'));
  EXPECT_EQ(name(of({3, 4})), "");
  table_->remember(of({5, 6}), std::string(BundleCache::kNameSize - 1, 'a'));
  EXPECT_EQ(name(of({5, 6})).size(), BundleCache::kNameSize - 1);
}

// Every bundle here is n, n + 1000, n + 2000: whatever is found must be whole.
TEST_F(BundleCacheTest, ThreadsFindWholeBundlesOnly) {
  constexpr int kRounds = 3000;
  std::atomic<int> mixed{0};
  const auto work = [&](std::uint32_t seed) {
    for (std::uint32_t round = 0; round < kRounds; ++round) {
      const std::uint32_t n = (seed * 37 + round) % 200;
      const auto bundle = of({n, n + 1000, n + 2000});
      table_->remember(bundle, std::to_string(n));
      Bundle found;
      const std::uint32_t asked = (n + 7) % 200;
      if (table_->find(at(asked), &found) &&
          (found.count != 3 || found.endpoints[0].address != at(asked).address ||
           found.endpoints[2].address != at(asked + 2000).address)) {
        ++mixed;
      }
      const std::string called = name(of({asked, asked + 1000, asked + 2000}));
      if (!called.empty() && called != std::to_string(asked)) ++mixed;
    }
  };
  std::vector<std::thread> threads;
  for (std::uint32_t seed = 0; seed < 4; ++seed) threads.emplace_back(work, seed);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(mixed, 0);
}

}  // namespace
}  // namespace px::shim
