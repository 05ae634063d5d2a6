// SPDX-License-Identifier: MIT
#include "broker/publish/health_writer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace px::broker {
namespace {

using plan::HealthKey;
using plan::HealthRecord;
using plan::HealthSlot;

using Set = std::array<std::optional<HealthRecord>, plan::kHealthSetSize>;

std::size_t slots_of(const Set& set, std::uint32_t user) {
  return static_cast<std::size_t>(std::count_if(set.begin(), set.end(), [&](const auto& record) {
    return record && record->key.user == user;
  }));
}

// The slot that has the key already, else a free one, else the one to give up.
std::size_t place_for(const HealthKey& key, const Set& set) {
  const auto share = [&](std::size_t i) {
    const std::uint32_t user = set[i]->key.user;
    return slots_of(set, user) + (user == key.user ? 1 : 0);
  };
  std::size_t place = 0;
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (set[i] && set[i]->key == key) return i;
  }
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (!set[i]) return i;
    const bool sooner = set[i]->until_ms < set[place]->until_ms;
    if (share(i) > share(place) || (share(i) == share(place) && sooner)) place = i;
  }
  return place;
}

void write(HealthSlot& slot, const HealthRecord& record) {
  std::uint64_t address[2];
  std::memcpy(address, record.key.address.bytes.data(), sizeof address);
  // A broker that was killed here left it odd.
  const std::uint64_t before = slot.sequence.load(std::memory_order_relaxed) / 2 * 2;
  slot.sequence.store(before + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  slot.address[0].store(address[0], std::memory_order_relaxed);
  slot.address[1].store(address[1], std::memory_order_relaxed);
  slot.target.store(std::uint64_t{record.key.interface_index} << 32 |
                        std::uint64_t{record.key.port} << 16 |
                        std::uint64_t{record.finding.round_trip_ms} << 3 |
                        std::uint64_t{static_cast<std::uint8_t>(record.key.fact)} << 1 |
                        (record.finding.alive ? 1 : 0),
                    std::memory_order_relaxed);
  slot.owner.store(std::uint64_t{record.key.user} << 32 | record.epoch, std::memory_order_relaxed);
  slot.until.store(record.until_ms, std::memory_order_relaxed);
  slot.sequence.store(before + 2, std::memory_order_release);
}

std::uint64_t life_of(const HealthRecord& record) {
  if (record.key.fact == plan::HealthFact::kRoundTrip) return plan::kRoundTripKeptMs;
  return record.finding.alive ? plan::kAliveMs : plan::kDeadMs;
}

}  // namespace

void write_health(plan::HealthTable& table, const HealthKey& key,
                  const plan::HealthFinding& finding, std::uint64_t now_ms) {
  const auto epoch = static_cast<std::uint32_t>(table.epoch.load(std::memory_order_relaxed));
  HealthSlot* slots = table.slots + plan::first_slot(key);
  Set set;
  for (std::size_t i = 0; i < set.size(); ++i) {
    set[i] = plan::read_slot(slots[i]);
    if (set[i] && !plan::in_force(*set[i], epoch, now_ms)) set[i].reset();
  }
  HealthRecord record;
  record.key = key;
  record.finding = finding;
  record.epoch = epoch;
  record.until_ms = now_ms + life_of(record);
  write(slots[place_for(key, set)], record);
}

}  // namespace px::broker
