// SPDX-License-Identifier: MIT
// The one decision: (plan, call) -> verdict. Pure, without system calls, heap or locks; libpx.so,
// `pxctl explain` and the tests all decide here. Any bytes at all are safe to decide on: every
// offset is checked against the half that it is read from, every walk is bounded. Callable from any
// thread and from signal handlers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "dns/name_chain.h"
#include "plan/bundles.h"
#include "plan/health.h"
#include "plan/layout.h"
#include "plan/names.h"

namespace px::plan {

// What a program is about to do.
struct Call {
  Address destination;
  std::uint16_t port = 0;   // host byte order
  std::uint32_t scope = 0;  // interface index that the destination names, 0 for none
  Transport transport = Transport::kTcp;
  bool source_fixed = false;  // bound to a port already: no source can be chosen any more
  // Bound to this source by the program: steered only where the rule has an entry with it.
  const Address* source = nullptr;
  const dns::NameChain* names = nullptr;  // that the program knows the destination by, if any
};

enum class Action : std::uint8_t {
  kSystem,  // unsteered: as the host routes it
  kVia,     // the verdict's interface and source
  kRefuse,  // a rule says block: EACCES
  kFail,    // nothing available: ENETUNREACH
};

enum class Reason : std::uint8_t {
  kLoopback,
  kOwnAddress,
  kOnLink,
  kNoRule,          // no rule matched, or the profile has none
  kRule,            // the rule decided: by one of its entries, or by its action
  kUnavailable,     // the rule decided, and none of its entries is available
  kProfileRemoved,  // the policy no longer has the profile
  kBrokerLost,      // `on-loss` is not last-known and the broker's heartbeat has stopped
  kNoPlan,          // nothing published, or bytes that are no plan
};

inline constexpr std::uint32_t kNoRuleIndex = 0xffffffff;

struct Verdict {
  Action action = Action::kSystem;
  Reason reason = Reason::kNoRule;
  std::uint32_t rule = kNoRuleIndex;  // index in the profile's `rules`
  Entry entry{};                      // for kVia
};

// A decision on one plan, without regard to whether it is being replaced.
[[nodiscard]] Verdict decide(std::span<const std::byte> half, const Call& call);

// Whether one entry can carry this call, and if not, why: what `explain` shows per candidate.
enum class Usability : std::uint8_t {
  kUsable,
  kOtherFamily,
  kDown,         // link down or source address not valid
  kNoRoute,      // the interface has no route to the destination
  kOtherScope,   // the destination names another interface
  kSourceFixed,  // the socket's source cannot be set any more
};
[[nodiscard]] Usability usability(std::span<const Range> reach, const Entry& entry,
                                  const Call& call);

// The entry by which a `listen: received-source` server answers the call's destination: the first
// of its `via` that is usable, whatever that entry's source. Nothing in any other mode, where no
// entry is usable, and for loopback and the host's own addresses.
[[nodiscard]] std::optional<Entry> listen_entry(std::span<const std::byte> half, const Call& call);

[[nodiscard]] std::optional<Entry> entry_with(std::span<const std::byte> half,
                                              const Address& source, std::uint32_t mark);

// Whether any entry of the profile's own is usable for this family.
enum class Family : std::uint8_t { kIpv4, kIpv6 };
[[nodiscard]] bool has_entry_of(std::span<const std::byte> half, Family family);

// A mapped plan file. Does not own the mapping; as cheap to copy as a pointer.
class Plan {
 public:
  // `base` must stay mapped as long as the Plan and its copies are used. Nothing when the bytes
  // are not a plan file of this layout.
  [[nodiscard]] static std::optional<Plan> from_mapping(const void* base, std::size_t size);

  // The verdict of one whole plan, be it the old or the new one. `now_ms` is CLOCK_MONOTONIC, read
  // only when on_loss asks for it (needs_time()); pass 0 otherwise.
  [[nodiscard]] Verdict decide(const Call& call, std::uint64_t now_ms) const;

  // The same of one whole plan.
  [[nodiscard]] std::optional<Entry> listen_entry(const Call& call) const;
  // The first usable entry with this source and mark. Nothing under a profile that was removed.
  [[nodiscard]] std::optional<Entry> entry_with(const Address& source, std::uint32_t mark) const;
  // The same; false where there is no plan.
  [[nodiscard]] bool has_entry_of(Family family) const;
  // Of the plan in force; one of the modes for any bytes. kSystem and 0 where there is no plan.
  [[nodiscard]] ListenMode listen_mode() const;
  [[nodiscard]] std::uint32_t listen_mark() const;  // SO_MARK, host byte order
  [[nodiscard]] std::uint32_t mark_mask() const;    // likewise

  // Of the plan in force, whatever its bytes are (bundles.h).
  [[nodiscard]] BundleSettings bundle_settings() const;
  [[nodiscard]] std::optional<BundleNotation> bundle_named(std::string_view name) const;
  // How the program's names are looked up (names.h). Where nothing is published, or the bytes are
  // no plan, by nobody but the profile's servers, of which there are none.
  [[nodiscard]] NameSettings names() const;
  // By the reports of this profile (health.h); `now_ms` is CLOCK_BOOTTIME in milliseconds.
  [[nodiscard]] bundle::Health health(const HealthKey& key, std::uint64_t now_ms) const;
  [[nodiscard]] std::uint16_t round_trip_ms(const HealthKey& key, std::uint64_t now_ms) const;

  // Whether the broker's heartbeat is at most this old; `now_ms` is CLOCK_MONOTONIC.
  [[nodiscard]] bool broker_lives(std::uint64_t now_ms,
                                  std::uint64_t lost_after_ms = kHeartbeatLostMs) const;
  [[nodiscard]] bool needs_time() const;  // for a decision
  // Whether the current plan can decide anything but kSystem: a profile that has no rules and is
  // not removed cannot.
  [[nodiscard]] bool has_rules() const;
  [[nodiscard]] bool has_name_rules() const;  // by the names of destinations
  // Whether a program may belong under another profile than it was started with.
  [[nodiscard]] bool matching() const;
  [[nodiscard]] std::uint32_t recheck() const;  // FileHeader::recheck, its lower half
  // The profile's name; empty where the file does not hold one.
  [[nodiscard]] std::string_view profile() const;
  [[nodiscard]] std::uint64_t generation() const;
  [[nodiscard]] std::uint64_t broker_instance() const;
  [[nodiscard]] const void* base() const { return header_; }

 private:
  explicit Plan(const FileHeader* header) : header_(header) {}
  [[nodiscard]] std::span<const std::byte> half(std::uint64_t generation) const;
  // The result of `read` for the half of one whole plan; nothing where none is published, or where
  // the reader is overtaken again and again.
  template <typename Read>
  [[nodiscard]] auto read_whole(Read read) const
      -> std::optional<decltype(read(std::span<const std::byte>()))>;

  const FileHeader* header_;
};

}  // namespace px::plan
