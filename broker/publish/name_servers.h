// SPDX-License-Identifier: MIT
// By which egress the broker asks each of a profile's name servers: decided as a program's datagram
// would be under a profile that sends everything by the paths of `dns: { via }`. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/config/policy.h"
#include "broker/host/range_set.h"
#include "broker/host/snapshot.h"
#include "broker/routing/routing_demand.h"
#include "plan/layout.h"

namespace px::broker {

struct NameServerEgress {
  NameServer server;
  std::optional<plan::Entry> entry;  // interface, source and mark; absent: it cannot be asked now
  std::string why;                   // it cannot, for people, behind the server's address
  std::string from;                  // who knows the server: "policy", or a source of links
  // The entry for sockets of programs, which may be bound to a port already: with its mark for
  // these.
  plan::Entry program_entry{};

  friend bool operator==(const NameServerEgress& a, const NameServerEgress& b);
};

// In the policy's order. Directly connected servers go by the paths, too. Where the group learns,
// those of its paths' links, each by its own link; where these have none, those of /etc/resolv.conf
// that the paths lead to.
[[nodiscard]] std::vector<NameServerEgress> name_servers_of(const NameGroup& group,
                                                            const Policy& policy,
                                                            const Snapshot& snapshot,
                                                            const Marks& marks);

// Domains that the links of a group that learns have told, without those of /etc/resolv.conf.
[[nodiscard]] std::vector<std::string> learned_domains(const NameGroup& group, const Policy& policy,
                                                       const Snapshot& snapshot);

// What a profile that redirects redirects: this host itself, and the servers of /etc/resolv.conf.
[[nodiscard]] Ranges redirected_by_host(const Snapshot& snapshot);

// "10.0.0.53", "10.0.0.53:5353", "[fd00::53]:5353" or "tls://dns.example@10.0.0.53".
[[nodiscard]] std::string text_of(const NameServer& server);

}  // namespace px::broker
