// SPDX-License-Identifier: MIT
// The C++ types of a plan's fields, which abi.h then takes for its own: addresses and enumerations
// where C has bytes and integers, atomics where it has uint64_t. What abi.h asserts of sizes and
// offsets holds with them.
#pragma once

#include <atomic>
#include <cstdint>

#include "libbundle/core/address.h"

#ifdef PX_PLAN_ABI_VALUES_H
#error "abi.h was included before abi_types.h, and has C's types"
#endif

namespace px::plan {

using bundle::Address;

enum class IfUnavailable : std::uint32_t;
enum class OnLoss : std::uint32_t;
enum class ListenMode : std::uint32_t;
enum class RuleAction : std::uint32_t;
enum class BundleTransport : std::uint8_t;
enum class BundleEntries : std::uint8_t;
enum class NamesFrom : std::uint8_t;

using px_address = Address;
using px_shared_uint64 = std::atomic<std::uint64_t>;
using px_if_unavailable = IfUnavailable;
using px_on_loss = OnLoss;
using px_listen_mode = ListenMode;
using px_rule_action = RuleAction;
using px_bundle_transport = BundleTransport;
using px_bundle_entries = BundleEntries;
using px_names_from = NamesFrom;
static_assert(px_shared_uint64::is_always_lock_free);

}  // namespace px::plan

#define PX_PLAN_FIELD_TYPES
#include "plan/abi.h"

namespace px::plan {

enum class IfUnavailable : std::uint32_t {
  kBlock = PX_IF_UNAVAILABLE_BLOCK,
  kNext = PX_IF_UNAVAILABLE_NEXT,
  kSystem = PX_IF_UNAVAILABLE_SYSTEM,
};

enum class OnLoss : std::uint32_t {
  kLastKnown = PX_ON_LOSS_LAST_KNOWN,
  kBlock = PX_ON_LOSS_BLOCK,
  kSystem = PX_ON_LOSS_SYSTEM,
};

enum class ListenMode : std::uint32_t {
  kSystem = PX_LISTEN_SYSTEM,
  kReceivedInterface = PX_LISTEN_RECEIVED_INTERFACE,
  kReceivedSource = PX_LISTEN_RECEIVED_SOURCE,
};

enum class RuleAction : std::uint32_t {
  kVia = PX_RULE_VIA,
  kBlock = PX_RULE_BLOCK,
  kSystem = PX_RULE_SYSTEM,
};

enum class BundleTransport : std::uint8_t {
  kNone = PX_BUNDLE_TRANSPORT_NONE,
  kSctp = PX_BUNDLE_TRANSPORT_SCTP,
  kMptcp = PX_BUNDLE_TRANSPORT_MPTCP,
  kTcp = PX_BUNDLE_TRANSPORT_TCP,
};

enum class BundleEntries : std::uint8_t {
  kByProgram = PX_BUNDLE_ENTRIES_BY_PROGRAM,
  kAlways = PX_BUNDLE_ENTRIES_ALWAYS,
  kNever = PX_BUNDLE_ENTRIES_NEVER,
};

enum class NamesFrom : std::uint8_t {
  kHost = PX_NAMES_HOST,
  kProfile = PX_NAMES_PROFILE,
  kSomeOfProfile = PX_NAMES_SOME,
};

}  // namespace px::plan
