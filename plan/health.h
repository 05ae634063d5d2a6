// SPDX-License-Identifier: MIT
// What one user's programs under a profile know of who answers, as the plan file's header holds it:
// a table of fixed size, written by the broker one slot at a time, each guarded by its own sequence
// number, and read without a message. Any bytes are safe to read. Each user reads and fills slots
// of his own, so that what one user's programs say, true or not, is nothing to another's. Callable
// from any thread and from signal handlers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "libbundle/connect/egress.h"
#include "libbundle/core/address.h"
#include "plan/abi_types.h"

namespace px::plan {

using HealthSlot = px_health_slot;
using HealthTable = px_health_table;

// How long a report is believed.
inline constexpr std::uint64_t kAliveMs = PX_HEALTH_ALIVE_MS;
inline constexpr std::uint64_t kDeadMs = PX_HEALTH_DEAD_MS;

// A key's record is in one of the slots of its set, which its hash chooses.
inline constexpr std::size_t kHealthSets = PX_HEALTH_SETS;
inline constexpr std::size_t kHealthSetSize = PX_HEALTH_SET_SIZE;

struct HealthKey {
  std::uint32_t user = 0;             // effective user id
  std::uint32_t interface_index = 0;  // by which it is reached; 0: the host's routing table's
  Address address;
  std::uint16_t port = 0;  // host byte order
  friend constexpr bool operator==(const HealthKey&, const HealthKey&) = default;
};

// The member by that interface; by the one that its scope names, if it is 0.
[[nodiscard]] HealthKey health_key(std::uint32_t user, const bundle::Endpoint& member,
                                   std::uint32_t interface_index);

struct HealthRecord {
  HealthKey key;
  bool alive = false;
  std::uint32_t epoch = 0;
  std::uint64_t until_ms = 0;
};

// A whole slot; nothing where it is empty or being written for longer than a reader waits.
[[nodiscard]] std::optional<HealthRecord> read_slot(const HealthSlot& slot);

// The first slot of the key's set.
[[nodiscard]] std::size_t first_slot(const HealthKey& key);

// Whether the record says something now, in this epoch.
[[nodiscard]] bool in_force(const HealthRecord& record, std::uint32_t epoch, std::uint64_t now_ms);

// `now_ms`: CLOCK_BOOTTIME in milliseconds.
[[nodiscard]] bundle::Health health(const HealthTable& table, const HealthKey& key,
                                    std::uint64_t now_ms);

}  // namespace px::plan
