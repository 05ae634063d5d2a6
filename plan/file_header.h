// SPDX-License-Identifier: MIT
// C++ names for the plan file as a whole; abi_file.h says what each field is. See plan.h for
// reading, broker/publish for writing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plan/abi_types.h"

namespace px::plan {

using FileHeader = px_file_header;

// The layout's version is part of the file's name, so a broker never goes on publishing a file of
// another layout: programs that run under that one keep its last plan.
inline constexpr std::uint32_t kLayoutVersion = PX_LAYOUT_VERSION;
inline constexpr char kPlanDirectory[] = "plan-v3";  // beside the broker's socket
inline constexpr char kPlanSuffix[] = ".plan";       // PROFILE.plan
// In the same directory, empty: there while programs can get a profile by themselves (`match`,
// `default-profile`) under which the transport of all their sockets is chosen (`sockets: all`).
inline constexpr char kAllSocketsFile[] = "all-sockets";
inline constexpr std::uint32_t kMagic = PX_MAGIC;
inline constexpr std::size_t kProfileNameSize = PX_PROFILE_NAME_SIZE;
inline constexpr std::size_t kInterfaceNameSize = PX_INTERFACE_NAME_SIZE;

inline constexpr std::size_t kHeaderSize = PX_HEADER_SIZE;
inline constexpr std::size_t kHalfSize = PX_HALF_SIZE;
inline constexpr std::size_t kFileSize = kHeaderSize + 2 * kHalfSize;  // sparse

inline constexpr std::uint64_t kHeartbeatIntervalMs = PX_HEARTBEAT_INTERVAL_MS;
inline constexpr std::uint64_t kHeartbeatLostMs = PX_HEARTBEAT_LOST_MS;

}  // namespace px::plan
