// SPDX-License-Identifier: MIT
// How far an address reaches, as SCTP counts it. To a peer the kernel offers those local addresses
// that reach at least as far as the first address called (net/sctp/protocol.c, sctp_v4_scope and
// sctp_v6_scope). Pure.
#pragma once

#include "libbundle/core/address.h"

namespace px::bundle {

enum class SctpScope : std::uint8_t { kLoopback, kLink, kPrivate, kGlobal };

[[nodiscard]] constexpr SctpScope sctp_scope(const Address& address) {
  if (address.is_loopback()) return SctpScope::kLoopback;
  if (address.is_link_local()) return SctpScope::kLink;
  if (!address.is_ipv4()) return SctpScope::kGlobal;
  const std::uint8_t first = address.bytes[12];
  const std::uint8_t second = address.bytes[13];
  const bool is_private =
      first == 10 || (first == 172 && (second & 0xf0) == 16) || (first == 192 && second == 168);
  return is_private ? SctpScope::kPrivate : SctpScope::kGlobal;
}

}  // namespace px::bundle
