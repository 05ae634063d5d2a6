// SPDX-License-Identifier: MIT
#include "preload/called_addresses.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "shim_fixture.h"

namespace px::shim {
namespace {

bundle::Endpoint peer(std::uint32_t number, std::uint16_t port = 9) {
  return {.address = bundle::ipv4_address(0x0a000000 + number), .port = port};
}

PacketInfo called(std::uint32_t number) {
  return {.address = bundle::ipv4_address(0xc0000200 + number), .interface = number};
}

class CalledAddressesTest : public testing::Test {
 protected:
  std::unique_ptr<CalledAddresses> table_ = std::make_unique<CalledAddresses>();
};

TEST_F(CalledAddressesTest, RemembersByPeerAndSocket) {
  EXPECT_FALSE(table_->find(1, peer(1)));
  table_->remember(1, peer(1), called(1));
  table_->remember(2, peer(1), called(2));
  table_->remember(1, peer(1, 10), called(3));
  EXPECT_EQ(table_->find(1, peer(1))->interface, 1u);
  EXPECT_EQ(table_->find(1, peer(1))->address, called(1).address);
  EXPECT_EQ(table_->find(2, peer(1))->interface, 2u);
  EXPECT_EQ(table_->find(1, peer(1, 10))->interface, 3u);
  EXPECT_FALSE(table_->find(3, peer(1)));
  EXPECT_FALSE(table_->find(1, peer(2)));
}

TEST_F(CalledAddressesTest, ThePeersLastCallCounts) {
  table_->remember(1, peer(1), called(1));
  table_->remember(1, peer(1), called(2));
  EXPECT_EQ(table_->find(1, peer(1))->interface, 2u);
}

TEST_F(CalledAddressesTest, ForgetsWhatIsOldestAndNeverMixesUp) {
  constexpr std::uint32_t kPeers = 4 * CalledAddresses::kSize;
  for (std::uint32_t n = 1; n <= kPeers; ++n) table_->remember(1, peer(n), called(n));
  EXPECT_TRUE(table_->find(1, peer(kPeers)));
  EXPECT_TRUE(table_->find(1, peer(kPeers - 1)));
  std::uint32_t kept = 0;
  for (std::uint32_t n = 1; n <= kPeers; ++n) {
    const auto found = table_->find(1, peer(n));
    if (!found) continue;
    ++kept;
    EXPECT_EQ(found->interface, n);
  }
  EXPECT_GT(kept, CalledAddresses::kSize / 2);
  EXPECT_LE(kept, CalledAddresses::kSize);
}

TEST_F(CalledAddressesTest, NeverGivesHalfOfWhatIsBeingWritten) {
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (std::uint32_t n = 0; n < 200000; ++n) table_->remember(1, peer(1), called(n % 200));
    done = true;
  });
  std::uint64_t found = 0;
  while (!done) {
    const auto value = table_->find(1, peer(1));
    if (!value) continue;
    ++found;
    ASSERT_EQ(value->address, called(value->interface).address);
  }
  writer.join();
  EXPECT_TRUE(table_->find(1, peer(1)));
}

}  // namespace
}  // namespace px::shim
