// SPDX-License-Identifier: MIT
// What px uses of the kernel's SCTP. The numbers and structures are those of linux/sctp.h, which a
// test compares; that header compiles only after libc's.
#pragma once

#include <sys/socket.h>

#include <cstdint>

namespace px::bundle {

inline constexpr int kSolSctp = 132;  // SOL_SCTP

// Options of that level.
inline constexpr int kSctpRtoInfo = 0;           // SCTP_RTOINFO: SctpRtoInfo
inline constexpr int kSctpInitMessage = 2;       // SCTP_INITMSG: SctpInitMessage
inline constexpr int kSctpNoDelay = 3;           // SCTP_NODELAY: int
inline constexpr int kSctpPrimaryAddress = 6;    // SCTP_PRIMARY_ADDR: SctpPrimaryAddress
inline constexpr int kSctpBindxAdd = 100;        // SCTP_SOCKOPT_BINDX_ADD: PackedAddresses
inline constexpr int kSctpPeerAddresses = 108;   // SCTP_GET_PEER_ADDRS
inline constexpr int kSctpLocalAddresses = 109;  // SCTP_GET_LOCAL_ADDRS
inline constexpr int kSctpConnectx = 110;        // SCTP_SOCKOPT_CONNECTX: PackedAddresses

// Milliseconds; 0 leaves a time as it is (struct sctp_rtoinfo).
struct SctpRtoInfo {
  std::int32_t association;
  std::uint32_t initial;
  std::uint32_t most;
  std::uint32_t least;
};

// 0 leaves a number as it is (struct sctp_initmsg).
struct SctpInitMessage {
  std::uint16_t streams_out;
  std::uint16_t streams_in;
  std::uint16_t attempts;
  std::uint16_t most_ms;
};

// struct sctp_prim
struct [[gnu::packed]] SctpPrimaryAddress {
  std::int32_t association;
  sockaddr_storage address;
};

}  // namespace px::bundle
