// SPDX-License-Identifier: MIT
// A plan file, mapped: what one whole plan says, while the broker may be writing the next one.
// Callable from any thread and from signal handlers; nothing is allocated or waited for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "plan/bundles.h"
#include "plan/decide.h"
#include "plan/health.h"
#include "plan/layout.h"
#include "plan/names.h"

namespace px::plan {

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
  // Where this question goes (decide.h); `now_ms` as in decide().
  [[nodiscard]] Redirection redirect(const Call& call, bool ipv4_only, std::uint64_t now_ms) const;
  [[nodiscard]] std::size_t name_servers(std::span<bundle::Endpoint> room) const;
  // By the reports of this profile (health.h); `now_ms` is CLOCK_BOOTTIME in milliseconds.
  [[nodiscard]] bundle::Health health(const HealthKey& key, std::uint64_t now_ms) const;
  [[nodiscard]] std::uint16_t round_trip_ms(const HealthKey& key, std::uint64_t now_ms) const;
  [[nodiscard]] std::uint64_t epoch() const;  // of the health table (abi_file.h)
  // Whether the broker's heartbeat is at most this old; `now_ms` is CLOCK_MONOTONIC.
  [[nodiscard]] bool broker_lives(std::uint64_t now_ms,
                                  std::uint64_t lost_after_ms = kHeartbeatLostMs) const;
  [[nodiscard]] bool needs_time() const;  // for a decision
  // Whether the current plan can decide anything but kSystem: a profile that has neither rules nor
  // name servers and is not removed cannot.
  [[nodiscard]] bool decides() const;
  // Whether what names a server of the host's goes elsewhere.
  [[nodiscard]] bool redirects() const;
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
