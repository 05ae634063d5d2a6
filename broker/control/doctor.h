// SPDX-License-Identifier: MIT
// What `pxctl doctor` says (docs/protocol.md): what px has put into the kernel's policy routing and
// what others have, and for each thing that keeps px from working what to do. Pure: of values that
// host_checks.h collects.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/routing/routing_demand.h"
#include "broker/routing/routing_state.h"
#include "netlink/kernel_state.h"

namespace px::broker {

// How an interface takes IPv4 packets whose source it would not route back by itself: the larger
// of net.ipv4.conf.all.rp_filter and the interface's own; 1 is strict, 2 loose.
struct SourceFilter {
  std::string interface;
  int rp_filter = 0;
  bool src_valid_mark = false;
};

struct HostChecks {
  kernel::State kernel;
  RoutingDemand demand;  // in force
  Marks marks;           // of its keys
  std::uint32_t mark_mask = 0;
  RoutingState wanted;
  std::optional<std::string> no_next_hops;  // why they cannot be managed here
  std::optional<std::string> no_subflows;   // why MPTCP connections get none, though they should
  std::size_t without_library = 0;          // programs that libpx.so has not come to
  std::optional<bool> nft_table;            // whether it is there; absent: may not look
  std::vector<SourceFilter> filters;
  std::set<std::string> interfaces;  // that the policy's paths lead through
};

// `findings`, `next_hops`, `foreign_rules`, `source_filters`, and `healthy`: whether no finding is
// a warning.
[[nodiscard]] nlohmann::json doctor_report(const HostChecks& checks);

}  // namespace px::broker
