// SPDX-License-Identifier: MIT
// One plan, in one half of a plan file (file_header.h). Everything is fixed-width, native byte
// order, at offsets from the start of its half: position-independent, no pointers. The broker
// writes it; any thread and any signal handler may read it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "libbundle/core/address.h"
#include "plan/bundle_layout.h"
#include "plan/file_header.h"

namespace px::plan {

using bundle::Address;

// `count` elements of the section's type at `offset` bytes from the start of the half. Eight bytes,
// eight-aligned: read in one load.
struct alignas(8) Section {
  std::uint32_t offset;
  std::uint32_t count;
};

enum class IfUnavailable : std::uint32_t { kBlock, kNext, kSystem };
enum class OnLoss : std::uint32_t { kLastKnown, kBlock, kSystem };

// What an answer to who called a server leaves by (PX-5).
enum class ListenMode : std::uint32_t {
  kSystem,
  kReceivedInterface,  // the interface that the call came in by
  kReceivedSource,     // the entries of `listen_via`; the source is the address that was called
};

struct PlanHeader {
  std::uint32_t size;  // bytes of this plan, this header included
  std::uint32_t
      removed;  // 1: the policy no longer has this profile; every rule lookup fails closed
  IfUnavailable if_unavailable;
  OnLoss on_loss;
  ListenMode listen;
  // SO_MARK, host byte order: the bits that are px's, 0 where the broker sets no marks; and the
  // mark that a stream socket is given before it listens, 0 for none.
  std::uint32_t mark_mask;
  std::uint32_t listen_mark;
  std::uint32_t listen_first_via;  // kReceivedSource: into via_ids, as a rule's
  std::uint32_t listen_via_count;
  // 1: some profile claims programs by `match`, so that a program may belong under another one than
  // it was started with: hello comes before its first decision.
  std::uint32_t matching;
  BundleSettings bundle;
  Section own;       // Range, sorted, disjoint: the host's own addresses; system
  Section on_link;   // Range, sorted, disjoint: directly connected; empty under `on-link: rules`
  Section nodes;     // Node; [0] is the root; empty: the profile has no rules
  Section segments;  // Segment
  Section rule_ids;  // std::uint32_t, index into rules
  Section rules;     // Rule, in the policy's order
  Section via_ids;   // std::uint32_t, index into entries
  Section entries;   // Entry
  Section reach;     // Range: what each interface has a route to
  Section bundle_names;  // BundleName, sorted by name; the policy's, alike in every profile
  Section text;          // char: what bundle_names points into
};

// An inclusive range of addresses, v4-mapped for IPv4.
struct Range {
  Address low;
  Address high;
  friend constexpr bool operator==(const Range&, const Range&) = default;
};

inline constexpr std::uint32_t kNoNode = 0xffffffff;

// A node of the path-compressed binary trie over destination networks: the network, and the
// segments of the rules whose `to` is exactly this network.
struct Node {
  Address network;
  std::uint32_t prefix_length;  // bits, 0 to 128; IPv4 networks are 96 + their own
  std::uint32_t child[2];       // by the bit after the prefix; kNoNode for none
  std::uint32_t first_segment;
  std::uint32_t segment_count;
};

// What a rule's `proto` can tell apart.
enum class Transport : std::uint32_t { kTcp, kUdp, kOther };
inline constexpr std::uint32_t kTransportCount = 3;

// One node's rules by transport and port: the segments of a node are sorted by key, each holds
// from its key up to the next one's, and the first key is 0. Its rule ids ascend, and end at the
// first rule that always decides.
struct Segment {
  std::uint32_t key;  // transport << 16 | lowest port
  std::uint32_t first_rule_id;
  std::uint32_t rule_id_count;
};

[[nodiscard]] constexpr std::uint32_t segment_key(Transport transport, std::uint16_t port) {
  return static_cast<std::uint32_t>(transport) << 16 | port;
}

enum class RuleAction : std::uint32_t { kVia, kBlock };

struct Rule {
  RuleAction action;
  std::uint32_t first_via;  // into via_ids: the entries in order of preference
  std::uint32_t via_count;
};

// Flags of an entry.
inline constexpr std::uint32_t kEntryUsable = 1;  // link up, source address valid
inline constexpr std::uint32_t kEntryIpv4 = 2;    // else IPv6
// The source is what the kernel would take on that interface by itself: usable also for a socket
// whose source can no longer be bound.
inline constexpr std::uint32_t kEntryKernelSource = 4;
// The policy named an interface, not a source: of adjacent such entries of one interface, the one
// whose source shares the longest prefix with the destination is taken (RFC 6724, rule 8).
inline constexpr std::uint32_t kEntryAnySource = 8;

struct Entry {
  Address source;
  std::uint32_t interface_index;
  std::uint32_t number;  // as `pxctl paths` shows it
  std::uint32_t flags;
  // SO_MARK that the broker sets on a socket for this entry's next hop, under mark_mask; 0: the
  // next hop is what the interface has by itself.
  std::uint32_t mark;
  std::uint32_t first_reach;
  std::uint32_t reach_count;
  char interface[kInterfaceNameSize];  // NUL-terminated
};

}  // namespace px::plan
