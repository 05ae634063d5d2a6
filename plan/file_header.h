// SPDX-License-Identifier: MIT
// The plan file as a whole: a header and two halves, each of which holds a plan (layout.h). A plan
// is written whole into the half that nobody reads, then made current by one atomic store (see
// plan.h for reading, broker/publish for writing). The broker owns and writes the file; any thread
// and any signal handler may read it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "plan/health.h"

namespace px::plan {

// The layout's version is part of the file's name, so a broker never goes on publishing a file of
// another layout: programs that run under that one keep its last plan.
inline constexpr std::uint32_t kLayoutVersion = 1;
inline constexpr char kPlanDirectory[] = "plan-v1";  // beside the broker's socket
inline constexpr char kPlanSuffix[] = ".plan";       // PROFILE.plan
// In the same directory, empty: there while programs can get a profile by themselves (`match`,
// `default-profile`) under which the transport of all their sockets is chosen (`sockets: all`).
inline constexpr char kAllSocketsFile[] = "all-sockets";
inline constexpr std::uint32_t kMagic = 0x4e4c5850;    // "PXLN"
inline constexpr std::size_t kProfileNameSize = 64;    // with its NUL
inline constexpr std::size_t kInterfaceNameSize = 16;  // IFNAMSIZ

inline constexpr std::size_t kHeaderSize = std::size_t{32} << 10;  // whole pages
inline constexpr std::size_t kHalfSize = std::size_t{8} << 20;
inline constexpr std::size_t kFileSize = kHeaderSize + 2 * kHalfSize;  // sparse

struct FileHeader {
  std::uint32_t magic;
  std::uint32_t layout_version;
  // The running broker's own number, another one at each start, never 0: a program that sees it
  // change knows that its session is lost.
  std::atomic<std::uint64_t> broker_instance;
  // Generation g stands in half g % 2. `writing` is raised before a half is touched and `published`
  // after it is complete, so a reader of generation p has read it whole if writing < p + 2 still
  // holds when it is done.
  std::atomic<std::uint64_t> writing;
  std::atomic<std::uint64_t> published;  // 0: nothing yet
  // Raised when a program under this profile may belong under another one now (`pxctl move`, a
  // changed `match`): it says hello once more before its next decision.
  std::atomic<std::uint64_t> recheck;
  // CLOCK_MONOTONIC in milliseconds, stored every kHeartbeatInterval by the broker.
  std::atomic<std::uint64_t> heartbeat;
  char profile[kProfileNameSize];
  // What the profile's programs found out about the members of bundles.
  HealthTable health;
};
static_assert(sizeof(FileHeader) <= kHeaderSize);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

inline constexpr std::uint64_t kHeartbeatIntervalMs = 1000;
inline constexpr std::uint64_t kHeartbeatLostMs = 5000;

}  // namespace px::plan
