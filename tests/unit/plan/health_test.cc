// SPDX-License-Identifier: MIT
// What one program found out, and the others read: plan/health.h as written by
// broker/publish/health_writer.h.
#include "plan/health.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "broker/publish/health_writer.h"

namespace px::broker {
namespace {

using bundle::Health;
using plan::HealthKey;

constexpr std::uint64_t kNow = 1'000'000;
constexpr std::uint32_t kAlice = 1000;
constexpr std::uint32_t kMallory = 1001;

HealthKey key_of(std::uint32_t user, std::uint32_t number, std::uint32_t interface = 3) {
  return {user, interface, bundle::ipv4_address(0xc6336400 + number), 443};
}

class HealthTest : public testing::Test {
 protected:
  Health known(const HealthKey& key, std::uint64_t now = kNow) const {
    return plan::health(*table_, key, now);
  }
  void write(const HealthKey& key, bool alive, std::uint64_t now = kNow) {
    write_health(*table_, key, {.alive = alive}, now);
  }
  // Keys of the user that all stand in the set of `key`.
  static std::vector<HealthKey> neighbours(const HealthKey& key, std::uint32_t user,
                                           std::size_t count) {
    std::vector<HealthKey> keys;
    for (std::uint32_t number = 1; keys.size() < count; ++number) {
      HealthKey candidate = key_of(user, 0);
      candidate.address = bundle::ipv4_address(0x0a000000 + number);
      if (plan::first_slot(candidate) == plan::first_slot(key)) keys.push_back(candidate);
    }
    return keys;
  }

  std::unique_ptr<plan::HealthTable> table_ = std::make_unique<plan::HealthTable>();
};

TEST_F(HealthTest, IsUnknownUntilSomebodyFoundOut) {
  EXPECT_EQ(known(key_of(kAlice, 1)), Health::kUnknown);
  write(key_of(kAlice, 1), true);
  write(key_of(kAlice, 2), false);
  EXPECT_EQ(known(key_of(kAlice, 1)), Health::kAlive);
  EXPECT_EQ(known(key_of(kAlice, 2)), Health::kDead);
  EXPECT_EQ(known(key_of(kAlice, 3)), Health::kUnknown);
}

TEST_F(HealthTest, IsOfOneUserPortAddressAndInterface) {
  const HealthKey key = key_of(kAlice, 1);
  write(key, false);
  HealthKey other = key;
  other.port = 80;
  EXPECT_EQ(known(other), Health::kUnknown);
  other = key;
  other.interface_index = 4;
  EXPECT_EQ(known(other), Health::kUnknown);
  other = key;
  other.user = kMallory;
  EXPECT_EQ(known(other), Health::kUnknown);
  EXPECT_EQ(known(key), Health::kDead);
}

TEST_F(HealthTest, IsOfOneTransport) {
  HealthKey sctp = key_of(kAlice, 1);
  sctp.fact = plan::HealthFact::kSctp;
  write(sctp, false);
  EXPECT_EQ(known(sctp), Health::kDead);
  EXPECT_EQ(known(key_of(kAlice, 1)), Health::kUnknown);
  write(key_of(kAlice, 1), true);
  EXPECT_EQ(known(sctp), Health::kDead);
  EXPECT_EQ(known(key_of(kAlice, 1)), Health::kAlive);
}

TEST_F(HealthTest, ARoundTripIsKeptForLonger) {
  HealthKey key = key_of(kAlice, 1);
  key.fact = plan::HealthFact::kRoundTrip;
  const auto known_at = [&](std::uint64_t now) { return plan::round_trip_ms(*table_, key, now); };
  EXPECT_EQ(known_at(kNow), 0u);
  write_health(*table_, key, {.round_trip_ms = 150}, kNow);
  EXPECT_EQ(known_at(kNow), 150u);
  EXPECT_EQ(known(key_of(kAlice, 1)), Health::kUnknown);
  EXPECT_EQ(known_at(kNow + plan::kRoundTripKeptMs - 1), 150u);
  EXPECT_EQ(known_at(kNow + plan::kRoundTripKeptMs), 0u);
  write_health(*table_, key, {.round_trip_ms = 8191}, kNow);
  EXPECT_EQ(known_at(kNow), plan::kMostRoundTripMs);
  key.user = kMallory;
  EXPECT_EQ(known_at(kNow), 0u);
}

TEST_F(HealthTest, EndsByItself) {
  write(key_of(kAlice, 1), true);
  write(key_of(kAlice, 2), false);
  EXPECT_EQ(known(key_of(kAlice, 1), kNow + plan::kAliveMs - 1), Health::kAlive);
  EXPECT_EQ(known(key_of(kAlice, 1), kNow + plan::kAliveMs), Health::kUnknown);
  EXPECT_EQ(known(key_of(kAlice, 2), kNow + plan::kDeadMs - 1), Health::kDead);
  EXPECT_EQ(known(key_of(kAlice, 2), kNow + plan::kDeadMs), Health::kUnknown);
}

TEST_F(HealthTest, IsWhatWasFoundOutLast) {
  const HealthKey key = key_of(kAlice, 1);
  write(key, false);
  write(key, true);
  EXPECT_EQ(known(key), Health::kAlive);
  write(key, false);
  EXPECT_EQ(known(key), Health::kDead);
}

TEST_F(HealthTest, IsForgottenInTheNextEpoch) {
  write(key_of(kAlice, 1), true);
  ++table_->epoch;
  EXPECT_EQ(known(key_of(kAlice, 1)), Health::kUnknown);
  write(key_of(kAlice, 1), false);
  EXPECT_EQ(known(key_of(kAlice, 1)), Health::kDead);
}

TEST_F(HealthTest, OfAnEarlierBootSaysNothing) {
  write(key_of(kAlice, 1), false, kNow);
  EXPECT_EQ(known(key_of(kAlice, 1), 5), Health::kUnknown);
}

TEST_F(HealthTest, KeepsTheLatestOfOneUserWhoFillsASet) {
  const auto keys = neighbours(key_of(kAlice, 1), kAlice, 3 * plan::kHealthSetSize);
  for (std::size_t i = 0; i < keys.size(); ++i) write(keys[i], false, kNow + i);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const bool late = i >= keys.size() - plan::kHealthSetSize;
    EXPECT_EQ(known(keys[i], kNow + 100), late ? Health::kDead : Health::kUnknown) << i;
  }
}

TEST_F(HealthTest, LetsNobodyCrowdOutAnother) {
  const HealthKey mine = key_of(kAlice, 1);
  write(mine, false);
  for (const auto& key : neighbours(mine, kMallory, 1000)) write(key, true, kNow + 1);
  EXPECT_EQ(known(mine), Health::kDead);
  // And who comes late still finds room.
  const auto late = neighbours(mine, kAlice, 3);
  for (const auto& key : late) write(key, false, kNow + 2);
  for (const auto& key : late) EXPECT_EQ(known(key, kNow + 2), Health::kDead);
  EXPECT_EQ(known(mine), Health::kDead);
}

TEST_F(HealthTest, GoesOnWhereABrokerWasKilledInTheMiddle) {
  const HealthKey key = key_of(kAlice, 1);
  write(key, true);
  for (auto& slot : table_->slots) slot.sequence |= 1;
  EXPECT_EQ(known(key), Health::kUnknown);
  write(key, false);
  EXPECT_EQ(known(key), Health::kDead);
}

TEST_F(HealthTest, TakesTheScopeForTheInterfaceWhereThatIsOpen) {
  const bundle::Endpoint member{bundle::ipv4_address(1), 80, 7};
  EXPECT_EQ(plan::health_key(5, member, 0), (HealthKey{5, 7, member.address, 80}));
  EXPECT_EQ(plan::health_key(5, member, 2), (HealthKey{5, 2, member.address, 80}));
}

TEST_F(HealthTest, IsReadWholeWhileItIsWritten) {
  const auto keys = neighbours(key_of(kAlice, 1), kAlice, 2);
  // One slot alone, so that both keys take it in turns.
  for (std::size_t i = 1; i < plan::kHealthSetSize; ++i) {
    table_->slots[plan::first_slot(keys[0]) + i].sequence = 1;
  }
  std::atomic<bool> stop{false};
  auto& slot = table_->slots[plan::first_slot(keys[0])];
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      slot.until = 0;
      write(keys[i % 2], i % 2 == 0);
    }
  });
  for (int seen = 0, tries = 0; seen < 2000 && tries < 10'000'000; ++tries) {
    const auto record = plan::read_slot(slot);
    if (!record) continue;
    ++seen;
    EXPECT_EQ(record->finding.alive, record->key == keys[0]);
    EXPECT_TRUE(record->key == keys[0] || record->key == keys[1]);
  }
  stop = true;
  writer.join();
}

}  // namespace
}  // namespace px::broker
