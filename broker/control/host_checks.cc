// SPDX-License-Identifier: MIT
#include "broker/control/host_checks.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "broker/publish/path_resolution.h"
#include "broker/routing/nft_table.h"
#include "netlink/kernel_state_dump.h"

namespace px::broker {
namespace {

int sysctl_number(const std::string& interface, const char* name) {
  const auto file = std::filesystem::path("/proc/sys/net/ipv4/conf") / interface / name;
  std::ifstream stream(file);
  int number = 0;
  stream >> number;
  return stream ? number : 0;
}

SourceFilter source_filter(const std::string& interface) {
  return {interface,
          std::max(sysctl_number("all", "rp_filter"), sysctl_number(interface, "rp_filter")),
          sysctl_number("all", "src_valid_mark") != 0 ||
              sysctl_number(interface, "src_valid_mark") != 0};
}

}  // namespace

Expected<HostChecks> collect_host_checks(const Policy& policy, const Snapshot& snapshot,
                                         Routing& routing) {
  HostChecks checks;
  PX_ASSIGN_OR_RETURN(checks.kernel, netlink::read_kernel_state());
  checks.demand = routing.demand();
  checks.marks = routing.marks();
  checks.mark_mask = routing.mask();
  checks.wanted = routing.wanted(checks.kernel);
  if (const auto available = routing.available(); !available) {
    checks.no_next_hops = available.error().message;
  }
  if (const auto table = list_nft_table()) checks.nft_table = !table->empty();
  for (const kernel::Link& link : checks.kernel.links) {
    if (!link.loopback) checks.filters.push_back(source_filter(link.name));
  }
  for (const PathSelector& path : policy.paths) {
    for (const std::size_t index : resolve_path(path, snapshot)) {
      checks.interfaces.insert(snapshot.entries[index].interface);
    }
  }
  return checks;
}

}  // namespace px::broker
