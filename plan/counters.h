// SPDX-License-Identifier: MIT
// The one page that a program may write: counts of px's decisions in it since its hello. A sealed
// memfd, made by the broker, one per hello. The broker writes one word of it, and trusts nothing of
// it but its size. All accesses are atomics: any thread, any signal handler, both processes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace px::plan {

inline constexpr std::size_t kCountersSize = 4096;

struct Counters {
  std::atomic<std::uint64_t> routed;       // calls sent through an entry
  std::atomic<std::uint64_t> system;       // calls left unsteered
  std::atomic<std::uint64_t> refused;      // EACCES: a rule says block
  std::atomic<std::uint64_t> unavailable;  // ENETUNREACH: no entry available
  // 0 in a new page. The broker stores 1 where the program may belong under another profile: it
  // says hello before its next decision, and gets a new page.
  std::atomic<std::uint64_t> recheck;
  std::atomic<std::uint64_t> names;  // lookups that the broker was not asked for
};
static_assert(sizeof(Counters) <= kCountersSize);

}  // namespace px::plan
