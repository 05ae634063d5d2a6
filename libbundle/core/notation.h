// SPDX-License-Identifier: MIT
// Bundles as people write them where a host name is expected: `<a,b|c>`, `{a,b}`,
// `a.and.b.or.c.bundle` (bundle(7) has the rules). A pure parser: it resolves nothing, and its
// answer points into the text. No heap, no locks, libc only: callable from any thread and
// from signal handlers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "libbundle/core/bundle.h"

namespace px::bundle {

// As much as getnameinfo(3) could give back (NI_MAXHOST less its NUL).
inline constexpr std::size_t kMostNotation = 1024;

enum class NotationKind : std::uint8_t {
  kNone,        // an ordinary name or address: not ours
  kBad,         // meant as a bundle, and none: EAI_NONAME, without resolving it
  kMembers,     // a bundle
  kPolicyName,  // NAME.bundle: a bundle if the policy has one of this name
};

enum class NotationFault : std::uint8_t {
  kNone,
  kTooLong,      // more than kMostNotation bytes; more than 253 without brackets
  kBrackets,     // mismatched, nested, missing, or something outside of them
  kEmptyMember,  // `<>`, `<a,,b>`, `<a|>`, `and.b.bundle`
  kTooMany,      // more than kMostMembers
  kAddress,      // neither an IPv4 nor an IPv6 address, and no name either: `1.2.3`, `a:80`
  kZone,         // no interface's name or number; or the address needs none
  kName,         // not the name of a host
  kNested,       // a member that is a bundle itself
};

struct Member {
  std::string_view text;  // as written: a name to be resolved, unless numeric
  bool numeric = false;
  Address address;          // numeric only
  std::string_view zone;    // an interface's name or number (zone.h); empty: none
  std::uint32_t group = 0;  // which alternative, counted from 0
};

struct Notation {
  NotationKind kind = NotationKind::kNone;
  NotationFault fault = NotationFault::kNone;  // kBad only
  std::size_t position = 0;                    // kBad only: bytes before what is wrong
  // kPolicyName only: the whole name, `.bundle` included, as written, without a final dot.
  std::string_view policy_name;
  std::array<Member, kMostMembers> all_members{};
  std::uint32_t count = 0;

  // In the order written.
  [[nodiscard]] std::span<const Member> members() const { return {all_members.data(), count}; }
};

// What `text` is. The views in the answer point into it.
[[nodiscard]] Notation parse_notation(std::string_view text);

// The fault in words, without a full stop; for messages. Static.
[[nodiscard]] std::string_view fault_text(NotationFault fault);

}  // namespace px::bundle
