// SPDX-License-Identifier: MIT
#include "preload/sockets/given_sources.h"

#include <bit>

namespace px::shim {
namespace {

// Never 0.
std::uint32_t digest_of(const plan::Address& source) {
  const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(source.bytes);
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio
  return static_cast<std::uint32_t>((((halves[0] * kOdd) ^ halves[1]) * kOdd) >> 32) | 1;
}

std::size_t slot_of(std::uint32_t digest) {
  return digest >> 1 & (GivenSources::kSize - 1);
}

}  // namespace

void GivenSources::remember(const plan::Address& source, std::uint32_t mark) {
  const std::uint32_t digest = digest_of(source);
  const std::uint64_t word = std::uint64_t{digest} << 32 | mark;
  auto& slot = slots_[slot_of(digest)];
  // A line that many threads read is written when it changes alone.
  if (slot.load(std::memory_order_relaxed) != word) slot.store(word, std::memory_order_relaxed);
  if (empty()) any_.store(true, std::memory_order_relaxed);
}

std::optional<std::uint32_t> GivenSources::mark_of(const plan::Address& source) const {
  const std::uint32_t digest = digest_of(source);
  const std::uint64_t word = slots_[slot_of(digest)].load(std::memory_order_relaxed);
  if (word >> 32 != digest) return std::nullopt;
  return static_cast<std::uint32_t>(word);
}

}  // namespace px::shim
