// SPDX-License-Identifier: MIT
#include "broker/publish/path_resolution.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace px::broker {
namespace {

bool selected(const PathSelector& path, const Entry& entry) {
  if (path.gateway ? entry.next_hop != path.gateway : !entry.default_next_hop) return false;
  if (!path.interface.empty() && fnmatch(path.interface.c_str(), entry.interface.c_str(), 0) != 0) {
    return false;
  }
  // A path that names its interface or gateway may have another interface's address as its source.
  // An address alone means the interface that has it.
  const bool named = !path.interface.empty() || path.gateway;
  if (path.source) return entry.source == *path.source && (entry.own_source || named);
  return entry.own_source || path.gateway;
}

using Indices = std::vector<std::size_t>;

// Without those for which there is a better one of the same interface and family.
template <typename Better>
Indices without(const Indices& indices, const std::vector<Entry>& entries, Better better) {
  const auto same = [&](const Entry& a, const Entry& b) {
    return a.interface_index == b.interface_index && a.source.is_ipv4() == b.source.is_ipv4();
  };
  Indices kept;
  std::copy_if(indices.begin(), indices.end(), std::back_inserter(kept), [&](std::size_t i) {
    return std::none_of(indices.begin(), indices.end(), [&](std::size_t other) {
      return same(entries[other], entries[i]) && better(entries[other], entries[i]);
    });
  });
  return kept;
}

std::string key_of(const std::string& interface, const std::optional<Address>& next_hop) {
  std::string key = "via " + interface;
  if (!next_hop) return key;
  std::array<char, bundle::kAddressTextSize> buffer{};
  return key + " " + std::string(bundle::address_text(*next_hop, buffer));
}

}  // namespace

std::vector<std::size_t> resolve_path(const PathSelector& path, const Snapshot& snapshot) {
  const auto& entries = snapshot.entries;
  Indices found;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (selected(path, entries[i])) found.push_back(i);
  }
  if (!path.source) {
    found = without(found, entries, [](const Entry& other, const Entry& entry) {
      return other.own_source && !entry.own_source;
    });
    found = without(found, entries, [](const Entry& other, const Entry& entry) {
      return !other.source_deprecated && entry.source_deprecated;
    });
  }
  std::stable_sort(found.begin(), found.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple(entries[a].interface_index, !entries[a].kernel_source) <
           std::tuple(entries[b].interface_index, !entries[b].kernel_source);
  });
  return found;
}

// A path without a gateway means whatever the interface does by itself. A mark has one next hop, so
// it may do for such a path only where there is no other one.
MarkUse mark_use(const PathSelector& path, const Entry& entry) {
  const bool one_next_hop = path.gateway || entry.certain;
  if (path.source && !entry.own_source && one_next_hop) return MarkUse::kNoDevice;
  if (path.gateway && entry.needs_mark) return MarkUse::kNeeded;
  if (path.gateway && entry.mark_leads_further) return MarkUse::kFurther;
  if (entry.routed_by_source && entry.kernel_source && one_next_hop) return MarkUse::kPortBound;
  return MarkUse::kNone;
}

std::string mark_key(const PathSelector& path, const Entry& entry) {
  if (mark_use(path, entry) == MarkUse::kNone) return {};
  return key_of(entry.interface, entry.next_hop);
}

std::string mark_key(const PathSelector& path, const std::string& interface) {
  return key_of(interface, path.gateway);
}

}  // namespace px::broker
