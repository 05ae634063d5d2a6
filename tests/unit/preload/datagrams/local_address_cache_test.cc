// SPDX-License-Identifier: MIT
#include "preload/datagrams/local_address_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "tests/unit/preload/shim_fixture.h"

namespace px::shim {
namespace {

bundle::Endpoint peer(std::uint32_t number, std::uint16_t port = 9) {
  return {.address = bundle::ipv4_address(0x0a000000 + number), .port = port};
}

PacketInfo called(std::uint32_t number) {
  return {.address = bundle::ipv4_address(0xc0000200 + number), .interface = number};
}

class LocalAddressCacheTest : public testing::Test {
 protected:
  std::unique_ptr<LocalAddressCache> table_ = std::make_unique<LocalAddressCache>();
};

TEST_F(LocalAddressCacheTest, RemembersByPeerAndSocket) {
  EXPECT_FALSE(table_->find(1, peer(1), 1000));
  table_->remember(1, peer(1), called(1), 1000);
  table_->remember(2, peer(1), called(2), 1000);
  table_->remember(1, peer(1, 10), called(3), 1000);
  EXPECT_EQ(table_->find(1, peer(1), 1000)->interface, 1u);
  EXPECT_EQ(table_->find(1, peer(1), 1000)->address, called(1).address);
  EXPECT_EQ(table_->find(2, peer(1), 1000)->interface, 2u);
  EXPECT_EQ(table_->find(1, peer(1, 10), 1000)->interface, 3u);
  EXPECT_FALSE(table_->find(3, peer(1), 1000));
  EXPECT_FALSE(table_->find(1, peer(2), 1000));
}

TEST_F(LocalAddressCacheTest, ThePeersLastCallCounts) {
  table_->remember(1, peer(1), called(1), 1000);
  table_->remember(1, peer(1), called(2), 1000);
  EXPECT_EQ(table_->find(1, peer(1), 1000)->interface, 2u);
}

TEST_F(LocalAddressCacheTest, APeerThatHasNotCalledForLongIsForgotten) {
  table_->remember(1, peer(1), called(1), 1000);
  EXPECT_TRUE(table_->find(1, peer(1), 1000 + LocalAddressCache::kLifetime));
  EXPECT_FALSE(table_->find(1, peer(1), 1001 + LocalAddressCache::kLifetime));
  table_->remember(1, peer(1), called(1), 1050);
  EXPECT_TRUE(table_->find(1, peer(1), 1050 + LocalAddressCache::kLifetime));
}

TEST_F(LocalAddressCacheTest, ForgetsWhatIsOldestAndNeverMixesUp) {
  constexpr std::uint32_t kPeers = 4 * LocalAddressCache::kSize;
  for (std::uint32_t n = 1; n <= kPeers; ++n) table_->remember(1, peer(n), called(n), 1000);
  EXPECT_TRUE(table_->find(1, peer(kPeers), 1000));
  EXPECT_TRUE(table_->find(1, peer(kPeers - 1), 1000));
  std::uint32_t kept = 0;
  for (std::uint32_t n = 1; n <= kPeers; ++n) {
    const auto found = table_->find(1, peer(n), 1000);
    if (!found) continue;
    ++kept;
    EXPECT_EQ(found->interface, n);
  }
  EXPECT_GT(kept, LocalAddressCache::kSize / 2);
  EXPECT_LE(kept, LocalAddressCache::kSize);
}

TEST_F(LocalAddressCacheTest, NeverGivesHalfOfWhatIsBeingWritten) {
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (std::uint32_t n = 0; n < 200000; ++n) table_->remember(1, peer(1), called(n % 200), 1000);
    done = true;
  });
  std::uint64_t found = 0;
  while (!done) {
    const auto value = table_->find(1, peer(1), 1000);
    if (!value) continue;
    ++found;
    ASSERT_EQ(value->address, called(value->interface).address);
  }
  writer.join();
  EXPECT_TRUE(table_->find(1, peer(1), 1000));
}

}  // namespace
}  // namespace px::shim
