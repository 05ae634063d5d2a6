// SPDX-License-Identifier: MIT
#include "broker/publish/path_resolution.h"

#include <fnmatch.h>

#include <algorithm>
#include <tuple>

namespace px::broker {
namespace {

bool selected(const PathSelector& path, const Entry& entry) {
  if (!entry.default_next_hop) return false;
  if (!path.interface.empty() && fnmatch(path.interface.c_str(), entry.interface.c_str(), 0) != 0) {
    return false;
  }
  // Where the interface is named, its source may be another interface's address; an address
  // alone means the interface that has it.
  if (path.source)
    return entry.source == *path.source && (entry.own_source || !path.interface.empty());
  return entry.own_source;
}

}  // namespace

std::vector<std::size_t> resolve_path(const PathSelector& path, const Snapshot& snapshot) {
  const auto& entries = snapshot.entries;
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (selected(path, entries[i])) found.push_back(i);
  }
  if (!path.source) {
    const auto family = [&](std::size_t i) {
      return std::tuple(entries[i].interface_index, entries[i].source.is_ipv4());
    };
    std::vector<std::size_t> kept;
    std::copy_if(found.begin(), found.end(), std::back_inserter(kept), [&](std::size_t i) {
      if (!entries[i].source_deprecated) return true;
      return std::none_of(found.begin(), found.end(), [&](std::size_t other) {
        return family(other) == family(i) && !entries[other].source_deprecated;
      });
    });
    found = std::move(kept);
  }
  std::stable_sort(found.begin(), found.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple(entries[a].interface_index, !entries[a].kernel_source) <
           std::tuple(entries[b].interface_index, !entries[b].kernel_source);
  });
  return found;
}

}  // namespace px::broker
