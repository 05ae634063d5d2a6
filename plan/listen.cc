// SPDX-License-Identifier: MIT
#include <algorithm>

#include "plan/decide.h"
#include "plan/section.h"

namespace px::plan {

std::optional<Entry> listen_entry(std::span<const std::byte> half, const Call& call) {
  if (call.destination.is_loopback() || half.size() < sizeof(PlanHeader)) return std::nullopt;
  const auto& header = *reinterpret_cast<const PlanHeader*>(half.data());
  if (header.listen != ListenMode::kReceivedSource || header.removed != 0) return std::nullopt;
  if (contains(elements<Range>(half, header.own), call.destination)) return std::nullopt;
  const auto entries = elements<Entry>(half, header.entries);
  const auto reach = elements<Range>(half, header.reach);
  const auto via_ids = elements<std::uint32_t>(half, header.via_ids);
  // The answer's source is the address that was called, so the entry's does not matter.
  Call answer = call;
  answer.source_fixed = false;
  for (const std::uint32_t id : part(via_ids, header.listen_first_via, header.listen_via_count)) {
    if (id >= entries.size()) return std::nullopt;
    const Entry entry = entries[id];
    const auto ranges = part(reach, entry.first_reach, entry.reach_count);
    if (usability(ranges, entry, answer) == Usability::kUsable) return entry;
  }
  return std::nullopt;
}

std::optional<Entry> entry_with(std::span<const std::byte> half, const Address& source,
                                std::uint32_t mark) {
  if (half.size() < sizeof(PlanHeader)) return std::nullopt;
  const auto& header = *reinterpret_cast<const PlanHeader*>(half.data());
  if (header.removed != 0) return std::nullopt;
  for (const Entry& entry : elements<Entry>(half, header.entries)) {
    if ((entry.flags & kEntryUsable) != 0 && entry.mark == mark && entry.source == source) {
      return entry;
    }
  }
  return std::nullopt;
}

bool has_entry_of(std::span<const std::byte> half, Family family) {
  if (half.size() < sizeof(PlanHeader)) return false;
  const auto& header = *reinterpret_cast<const PlanHeader*>(half.data());
  const auto entries = elements<Entry>(half, header.entries);
  return std::any_of(entries.begin(), entries.end(), [family](const Entry& entry) {
    const bool ipv4 = (entry.flags & kEntryIpv4) != 0;
    return (entry.flags & kEntryUsable) != 0 && ipv4 == (family == Family::kIpv4);
  });
}

}  // namespace px::plan
