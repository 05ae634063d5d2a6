// SPDX-License-Identifier: MIT
#include "plan/plan.h"
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

}  // namespace px::plan
