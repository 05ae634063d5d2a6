// SPDX-License-Identifier: MIT
// `dns:` of a profile, as the policy has it: whom its programs ask for names. A value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/config/position.h"
#include "dns/name_pattern.h"
#include "libbundle/core/address.h"
#include "plan/names.h"

namespace px::broker {

using bundle::Address;

struct NameServer {
  Address address;  // link-local: on the interface of the path
  std::uint16_t port = 53;
  std::string tls_name{};  // not empty: by TLS, with a certificate for this name

  friend bool operator==(const NameServer&, const NameServer&) = default;
};
inline constexpr std::uint8_t kMostNdots = 15;
// Of those that links have told, as many are asked as libc asks.
inline constexpr std::uint8_t kMostLearnedServers = 3;

// Servers, and the names that they are asked for.
struct NameGroup {
  std::vector<dns::NamePattern> names;  // empty: all names that are no other group's
  std::vector<std::string> via;         // names of paths, in order of preference
  std::vector<NameServer> servers;      // likewise; empty: those of the paths' links
  std::uint8_t timeout_s = 5;
  std::uint8_t attempts = 2;
  bool redirect = false;  // of names of no other group: what programs ask the host's servers, too
  Position position;

  [[nodiscard]] bool is_rest() const { return names.empty(); }
  // Whether its servers are those that the links have told.
  [[nodiscard]] bool learns() const { return servers.empty(); }
  // As a lookup at these servers has them; at most, where it learns.
  [[nodiscard]] plan::NameSettings settings() const;
};

struct Names {
  std::vector<NameGroup> groups;    // empty: as the host looks names up
  std::vector<std::string> search;  // domains
  std::uint8_t ndots = 1;
  Position position;

  // As the plan has it: for the longest lookup.
  [[nodiscard]] plan::NameSettings settings() const;
  // Whether links are to be asked for servers.
  [[nodiscard]] bool learn() const;
  [[nodiscard]] bool redirect() const;
  // Whether the host's name servers are to be known, its links' or its own.
  [[nodiscard]] bool watch_host() const { return learn() || redirect(); }
  // The group of all names that are no other's; null: these are the host's.
  [[nodiscard]] const NameGroup* rest() const;
  // The one whose name it is, by its longest pattern; null: the host's.
  [[nodiscard]] const NameGroup* group_of(const dns::Name& name) const;
};

// A pattern as the policy has it.
[[nodiscard]] std::string text_of(const dns::NamePattern& pattern);

}  // namespace px::broker
