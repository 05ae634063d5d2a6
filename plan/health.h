// SPDX-License-Identifier: MIT
// Which members of bundles answer, as a user's programs under a profile have reported it. The plan
// file's header holds the reports in a table of fixed size. The broker writes one slot at a time,
// each guarded by its own sequence number; programs read without a message, and any bytes are safe
// to read. Each user has slots of its own, so that a false report harms nobody else's programs.
// Callable from any thread and from signal handlers.
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
inline constexpr std::uint64_t kRoundTripKeptMs = PX_HEALTH_ROUND_TRIP_MS;
inline constexpr std::uint16_t kMostRoundTripMs = PX_HEALTH_MOST_ROUND_TRIP;

// A key's record is in one of the slots of its set, which its hash chooses.
inline constexpr std::size_t kHealthSets = PX_HEALTH_SETS;
inline constexpr std::size_t kHealthSetSize = PX_HEALTH_SET_SIZE;

enum class HealthFact : std::uint8_t {
  kStreams = PX_HEALTH_FACT_STREAMS,
  kSctp = PX_HEALTH_FACT_SCTP,
  kRoundTrip = PX_HEALTH_FACT_ROUND_TRIP,
};

struct HealthKey {
  std::uint32_t user = 0;             // effective user id
  std::uint32_t interface_index = 0;  // of its egress; 0: unsteered
  Address address;
  std::uint16_t port = 0;  // host byte order
  HealthFact fact = HealthFact::kStreams;
  friend constexpr bool operator==(const HealthKey&, const HealthKey&) = default;
};

// The member by that interface; where that is 0, by the one that its scope names.
[[nodiscard]] HealthKey health_key(std::uint32_t user, const bundle::Endpoint& member,
                                   std::uint32_t interface_index,
                                   HealthFact fact = HealthFact::kStreams);

// What a report says of its key.
struct HealthFinding {
  bool alive = false;
  std::uint16_t round_trip_ms = 0;  // of HealthFact::kRoundTrip, else 0
};

struct HealthRecord {
  HealthKey key;
  HealthFinding finding;
  std::uint32_t epoch = 0;
  std::uint64_t until_ms = 0;
};

// A whole slot; nothing where it is empty, or is being written for longer than a reader waits.
[[nodiscard]] std::optional<HealthRecord> read_slot(const HealthSlot& slot);

// The first slot of the key's set.
[[nodiscard]] std::size_t first_slot(const HealthKey& key);

// Whether the record is of this epoch and has not ended.
[[nodiscard]] bool in_force(const HealthRecord& record, std::uint32_t epoch, std::uint64_t now_ms);

// `now_ms`: CLOCK_BOOTTIME in milliseconds.
[[nodiscard]] bundle::Health health(const HealthTable& table, const HealthKey& key,
                                    std::uint64_t now_ms);
// Of a key of HealthFact::kRoundTrip; 0: not known.
[[nodiscard]] std::uint16_t round_trip_ms(const HealthTable& table, const HealthKey& key,
                                          std::uint64_t now_ms);

}  // namespace px::plan
