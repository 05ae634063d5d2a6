// SPDX-License-Identifier: MIT
#include "plan/health.h"

#include <algorithm>
#include <cstring>

namespace px::plan {
namespace {

// A slot is written in less time than it takes to read it a few times.
constexpr int kMostAttempts = 8;

constexpr std::uint64_t kHashStart = 0xcbf29ce484222325;  // FNV-1a, by words
constexpr std::uint64_t kHashFactor = 0x100000001b3;

std::uint64_t stirred(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * kHashFactor;
  return hash ^ (hash >> 29);
}

}  // namespace

HealthKey health_key(std::uint32_t user, const bundle::Endpoint& member,
                     std::uint32_t interface_index, HealthFact fact) {
  return {user, interface_index != 0 ? interface_index : member.scope, member.address, member.port,
          fact};
}

std::optional<HealthRecord> read_slot(const HealthSlot& slot) {
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    const std::uint64_t before = slot.sequence.load(std::memory_order_acquire);
    if (before % 2 != 0) continue;
    const std::uint64_t address[2] = {slot.address[0].load(std::memory_order_relaxed),
                                      slot.address[1].load(std::memory_order_relaxed)};
    const std::uint64_t target = slot.target.load(std::memory_order_relaxed);
    const std::uint64_t owner = slot.owner.load(std::memory_order_relaxed);
    const std::uint64_t until = slot.until.load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (slot.sequence.load(std::memory_order_relaxed) != before) continue;
    if (until == 0) return std::nullopt;
    HealthRecord record;
    record.key.user = static_cast<std::uint32_t>(owner >> 32);
    record.key.interface_index = static_cast<std::uint32_t>(target >> 32);
    std::memcpy(record.key.address.bytes.data(), address, sizeof address);
    record.key.port = static_cast<std::uint16_t>(target >> 16);
    record.key.fact = static_cast<HealthFact>(target >> 1 & 3);
    record.finding = {(target & 1) != 0, static_cast<std::uint16_t>((target & 0xffff) >> 3)};
    record.epoch = static_cast<std::uint32_t>(owner);
    record.until_ms = until;
    return record;
  }
  return std::nullopt;
}

std::size_t first_slot(const HealthKey& key) {
  std::uint64_t words[2];
  std::memcpy(words, key.address.bytes.data(), sizeof words);
  std::uint64_t hash = stirred(kHashStart, words[0]);
  hash = stirred(hash, words[1]);
  hash = stirred(hash, std::uint64_t{key.interface_index} << 32 | key.user);
  hash = stirred(hash, std::uint64_t{static_cast<std::uint8_t>(key.fact)} << 16 | key.port);
  return hash % kHealthSets * kHealthSetSize;
}

// No broker of this boot writes a record that ends later than this from now.
bool in_force(const HealthRecord& record, std::uint32_t epoch, std::uint64_t now_ms) {
  const std::uint64_t most = record.key.fact == HealthFact::kRoundTrip ? kRoundTripKeptMs : kDeadMs;
  return record.epoch == epoch && record.until_ms > now_ms && record.until_ms - now_ms <= most;
}

namespace {

std::optional<HealthFinding> find(const HealthTable& table, const HealthKey& key,
                                  std::uint64_t now_ms) {
  const auto epoch = static_cast<std::uint32_t>(table.epoch.load(std::memory_order_acquire));
  const HealthSlot* set = table.slots + first_slot(key);
  for (std::size_t i = 0; i < kHealthSetSize; ++i) {
    const auto record = read_slot(set[i]);
    if (!record || !(record->key == key) || !in_force(*record, epoch, now_ms)) continue;
    return record->finding;
  }
  return std::nullopt;
}

}  // namespace

bundle::Health health(const HealthTable& table, const HealthKey& key, std::uint64_t now_ms) {
  const auto found = find(table, key, now_ms);
  if (!found) return bundle::Health::kUnknown;
  return found->alive ? bundle::Health::kAlive : bundle::Health::kDead;
}

std::uint16_t round_trip_ms(const HealthTable& table, const HealthKey& key, std::uint64_t now_ms) {
  const auto found = find(table, key, now_ms);
  return found ? std::min(found->round_trip_ms, kMostRoundTripMs) : std::uint16_t{0};
}

}  // namespace px::plan
