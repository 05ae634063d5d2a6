// SPDX-License-Identifier: MIT
// The host's network at one moment (PX-2, PX-3): a plain value, computed from the kernel's links,
// addresses, routes and rules, and compared and compiled without them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker/host/link_names.h"
#include "libbundle/core/address.h"
#include "plan/layout.h"

namespace px::broker {

using bundle::Address;

// One choice for leaving packets: interface x next-hop router x own source address.
struct Entry {
  std::uint32_t number = 0;  // from 1, by interface index, family (IPv4 first), next hop, source
  std::uint32_t interface_index = 0;
  std::string interface;
  std::optional<Address> next_hop;  // absent: none is needed (tunnels)
  Address source;
  bool own_source = false;        // the source address belongs to this interface
  bool default_next_hop = false;  // the router the kernel takes on this interface by itself
  // The kernel takes, or may take, another router on this interface (PX-9): only a marked socket
  // is certain of this one.
  bool needs_mark = false;
  // The kernel takes this next hop for everything that leaves by this interface.
  bool certain = false;
  // The next hop is a way out for any destination, but the kernel takes it for some alone: no
  // default route names it (PX-2, PX-7).
  bool mark_leads_further = false;
  // The source that the kernel takes by itself on this interface, through this next hop.
  bool kernel_source = false;
  // A socket that names no source has fewer routes by this interface than one that names this
  // source: the routes stand in tables that only this source is sent to. Of IPv6 alone: over IPv4 a
  // connect finds its source first, and then looks the route up with it.
  bool routed_by_source = false;
  bool link_up = false;            // administratively up and with carrier
  bool source_valid = false;       // not tentative, not failed duplicate detection
  bool source_deprecated = false;  // RFC 4862 section 5.5.4: only where it is asked for
  std::uint32_t reach = 0;         // index into Snapshot::reach
  // Likewise, what the interface reaches with its own source; `reach` is of this one.
  std::uint32_t interface_reach = 0;

  // PX-3: own source and the interface's own router. Several for an interface with several
  // addresses; the preferred first.
  [[nodiscard]] bool interface_default() const { return own_source && default_next_hop; }
  [[nodiscard]] bool usable() const { return link_up && source_valid; }
  friend bool operator==(const Entry&, const Entry&) = default;
};

// Why an entry is not usable, in a few words for people; empty when it is.
[[nodiscard]] std::string why_unusable(const Entry& entry);

// Sorted, disjoint, inclusive ranges.
using Ranges = std::vector<plan::Range>;

// A network that an interface's address is in.
struct LinkNetwork {
  std::string interface;
  Address base;
  unsigned prefix_length = 0;  // of the sixteen-byte form

  friend bool operator==(const LinkNetwork&, const LinkNetwork&) = default;
};

struct Snapshot {
  std::vector<Entry> entries;  // by number
  Ranges own;                  // the host's addresses, on every interface
  Ranges on_link;              // directly connected networks, link-local and broadcast included
  std::vector<Ranges> reach;   // what one interface has routes to, in one family
  std::vector<LinkNetwork> networks;
  LinkNamesByInterface link_names;  // as far as it was read
};

// Whether two snapshots say the same to every program.
[[nodiscard]] bool operator==(const Snapshot& a, const Snapshot& b);

}  // namespace px::broker
