// SPDX-License-Identifier: MIT
// Checked access to the sections of a plan whose bytes may be anything, and may change while they
// are read. Callable from any thread and from signal handlers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "plan/layout.h"

namespace px::plan {

// The section's elements; empty when it does not lie in the half or is misaligned. The section is
// loaded once, so that what was checked is what is used.
template <typename Element>
[[nodiscard]] std::span<const Element> elements(std::span<const std::byte> half,
                                                const Section& section) {
  std::uint64_t loaded;
  __atomic_load(reinterpret_cast<const std::uint64_t*>(&section), &loaded, __ATOMIC_RELAXED);
  const Section copy = __builtin_bit_cast(Section, loaded);
  if (copy.offset % alignof(Element) != 0 || copy.offset > half.size()) return {};
  if (copy.count > (half.size() - copy.offset) / sizeof(Element)) return {};
  return {reinterpret_cast<const Element*>(half.data() + copy.offset), copy.count};
}

// A part of a table; empty when it does not lie in it.
template <typename Element>
[[nodiscard]] std::span<const Element> part(std::span<const Element> table, std::uint32_t first,
                                            std::uint32_t count) {
  if (first > table.size() || count > table.size() - first) return {};
  return table.subspan(first, count);
}

// Whether a sorted, disjoint list of ranges holds the address.
[[nodiscard]] inline bool contains(std::span<const Range> ranges, const Address& address) {
  const auto range = std::lower_bound(
      ranges.begin(), ranges.end(), address,
      [](const Range& candidate, const Address& wanted) { return candidate.high < wanted; });
  return range != ranges.end() && range->low <= address;
}

}  // namespace px::plan
