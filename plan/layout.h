// SPDX-License-Identifier: MIT
// C++ names for one plan, in one half of a plan file; abi_half.h says what each field is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plan/abi_types.h"
#include "plan/bundle_layout.h"
#include "plan/file_header.h"

namespace px::plan {

using Section = px_section;
using PlanHeader = px_plan_header;
using Range = px_range;
using Node = px_node;
using NameNode = px_name_node;
using NameServer = px_name_server;
using Segment = px_segment;
using Rule = px_rule;
using Entry = px_entry;

[[nodiscard]] constexpr bool operator==(const Range& a, const Range& b) {
  return a.low == b.low && a.high == b.high;
}

inline constexpr std::uint32_t kNoNode = PX_NO_NODE;

enum class Transport : std::uint32_t {
  kTcp = PX_TRANSPORT_TCP,
  kUdp = PX_TRANSPORT_UDP,
  kOther = PX_TRANSPORT_OTHER,
  kIcmp = PX_TRANSPORT_ICMP,
};
inline constexpr std::uint32_t kTransportCount = PX_TRANSPORTS;

[[nodiscard]] constexpr std::uint32_t segment_key(Transport transport, std::uint16_t port) {
  return static_cast<std::uint32_t>(transport) << PX_SEGMENT_TRANSPORT_SHIFT | port;
}

// Flags of an entry.
inline constexpr std::uint32_t kEntryUsable = PX_ENTRY_USABLE;
inline constexpr std::uint32_t kEntryIpv4 = PX_ENTRY_IPV4;
inline constexpr std::uint32_t kEntryKernelSource = PX_ENTRY_KERNEL_SOURCE;
inline constexpr std::uint32_t kEntryAnySource = PX_ENTRY_ANY_SOURCE;
inline constexpr std::uint32_t kEntryNoDevice = PX_ENTRY_NO_DEVICE;
inline constexpr std::uint32_t kEntryMarkOptional = PX_ENTRY_MARK_OPTIONAL;
inline constexpr std::uint32_t kEntryRoutedBySource = PX_ENTRY_ROUTED_BY_SOURCE;

}  // namespace px::plan
