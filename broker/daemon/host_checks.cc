// SPDX-License-Identifier: MIT
#include "broker/daemon/host_checks.h"

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

Expected<Checkup> check_up(const Policy& policy, const Snapshot& snapshot, Routing& routing) {
  auto kernel = read_kernel_state();
  if (!kernel) return tl::make_unexpected(kernel.error());
  Checkup checkup;
  checkup.kernel = std::move(*kernel);
  checkup.demand = routing.demand();
  checkup.marks = routing.marks();
  checkup.mark_mask = routing.mask();
  checkup.wanted = routing.wanted(checkup.kernel);
  if (const auto available = routing.available(); !available) {
    checkup.no_next_hops = available.error().message;
  }
  if (const auto table = list_nft_table()) checkup.nft_table = !table->empty();
  for (const kernel::Link& link : checkup.kernel.links) {
    if (!link.loopback) checkup.filters.push_back(source_filter(link.name));
  }
  for (const PathSelector& path : policy.paths) {
    for (const std::size_t index : resolve_path(path, snapshot)) {
      checkup.interfaces.insert(snapshot.entries[index].interface);
    }
  }
  return checkup;
}

}  // namespace px::broker
