// SPDX-License-Identifier: MIT
// The host's addresses as sources: which can be one, and which of them the kernel takes on an
// interface when a program names none. Made once from a kernel state, which must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "broker/host/next_hops.h"
#include "netlink/kernel_state.h"

namespace px::broker {

// Neither loopback nor IPv6 link-local, and not of this host alone.
[[nodiscard]] bool can_be_source(const kernel::InterfaceAddress& address);

// One address, on however many interfaces.
struct Source {
  Address address;
  std::vector<std::uint32_t> interfaces;
  bool valid = false;       // can be bound now
  bool deprecated = false;  // wherever it stands
};

class Sources {
 public:
  explicit Sources(const kernel::State& state);

  // By address.
  [[nodiscard]] const std::vector<Source>& of_family(bool ipv4) const { return sources_[ipv4]; }

  // inet_select_addr() for IPv4, RFC 6724 towards a far global destination for IPv6. The hops are
  // the interface's own, whose route may name the source.
  [[nodiscard]] std::optional<Address> kernel_choice(std::uint32_t interface_index, bool ipv4,
                                                     const InterfaceHops& hops) const;

 private:
  using Candidates = std::vector<const kernel::InterfaceAddress*>;

  std::vector<Source> sources_[2];
  std::map<std::uint32_t, Candidates> by_interface_[2];  // in the kernel's order
};

}  // namespace px::broker
