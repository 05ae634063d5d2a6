// SPDX-License-Identifier: MIT
// The one decision: (plan, call) -> verdict. Pure, without system calls, heap or locks; libpx.so,
// `pxctl explain` and the tests all decide here. Any bytes at all are safe to decide on: every
// offset is checked against the half that it is read from, every walk is bounded. Callable from any
// thread and from signal handlers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dns/name_chain.h"
#include "plan/layout.h"

namespace px::plan {

// What a program is about to do.
struct Call {
  Address destination;
  std::uint16_t port = 0;   // host byte order
  std::uint32_t scope = 0;  // interface index that the destination names, 0 for none
  Transport transport = Transport::kTcp;
  bool source_fixed = false;  // bound to a port already: no source can be chosen any more
  // Bound to this source by the program: steered only where the rule has an entry with it.
  const Address* source = nullptr;
  const dns::NameChain* names = nullptr;  // that the program knows the destination by, if any
};

enum class Action : std::uint8_t {
  kSystem,  // unsteered: as the host routes it
  kVia,     // the verdict's interface and source
  kRefuse,  // a rule says block: EACCES
  kFail,    // nothing available: ENETUNREACH
};

enum class Reason : std::uint8_t {
  kLoopback,
  kOwnAddress,
  kOnLink,
  kNoRule,          // no rule matched, or the profile has none
  kRule,            // the rule decided: by one of its entries, or by its action
  kUnavailable,     // the rule decided, and none of its entries is available
  kProfileRemoved,  // the policy no longer has the profile
  kNameServer,      // the profile's own name server, by its egress
  kBrokerLost,      // `on-loss` is not last-known and the broker's heartbeat has stopped
  kNoPlan,          // nothing published, or bytes that are no plan
};

inline constexpr std::uint32_t kNoRuleIndex = 0xffffffff;

struct Verdict {
  Action action = Action::kSystem;
  Reason reason = Reason::kNoRule;
  std::uint32_t rule = kNoRuleIndex;  // index in the profile's `rules`
  Entry entry{};                      // for kVia
};

// A decision on one plan, without regard to whether it is being replaced.
[[nodiscard]] Verdict decide(std::span<const std::byte> half, const Call& call);

// Whether one entry can carry this call, and if not, why: what `explain` shows per candidate.
enum class Usability : std::uint8_t {
  kUsable,
  kOtherFamily,
  kDown,         // link down or source address not valid
  kNoRoute,      // the interface has no route to the destination
  kOtherScope,   // the destination names another interface
  kSourceFixed,  // the socket's source cannot be set any more
};
[[nodiscard]] Usability usability(std::span<const Range> reach, const Entry& entry,
                                  const Call& call);

// The entry by which a `listen: received-source` server answers the call's destination: the first
// of its `via` that is usable, whatever that entry's source. Nothing in any other mode, where no
// entry is usable, and for loopback and the host's own addresses.
[[nodiscard]] std::optional<Entry> listen_entry(std::span<const std::byte> half, const Call& call);

[[nodiscard]] std::optional<Entry> entry_with(std::span<const std::byte> half,
                                              const Address& source, std::uint32_t mark);

// Whether any entry of the profile's own is usable for this family.
enum class Family : std::uint8_t { kIpv4, kIpv6 };
[[nodiscard]] bool has_entry_of(std::span<const std::byte> half, Family family);

// Where a question goes that a program sends to a name server itself.
struct Redirection {
  bool applies = false;                         // it names a server of the host's
  std::optional<bundle::Endpoint> server = {};  // instead; nothing: it is not to be sent
};
// `ipv4_only`: the socket takes no other destination. Of the servers that the call can reach, the
// first in the destination's own family, else the first.
[[nodiscard]] Redirection redirect(std::span<const std::byte> half, const Call& call,
                                   bool ipv4_only);

// The profile's servers for plain DNS, most preferred first, also those that cannot be asked now;
// as many as there is room for.
[[nodiscard]] std::size_t name_servers(std::span<const std::byte> half,
                                       std::span<bundle::Endpoint> room);

}  // namespace px::plan
