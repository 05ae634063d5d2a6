// SPDX-License-Identifier: MIT
#include "preload/names/destination_order.h"

#include <algorithm>
#include <compare>

namespace px::shim {
namespace {

// The one that is true first.
std::strong_ordering true_first(bool a, bool b) {
  return b <=> a;
}

// Of IPv4 addresses only a common network counts: beyond that, prefixes mean nothing.
unsigned matching_bits(const Destination& one) {
  const unsigned common = bundle::common_prefix_length(one.address, one.source);
  if (one.family == AF_INET6) return common;
  return common >= 96u + one.prefix_bits ? common : 0;
}

// The rules that need the sources of both.
std::strong_ordering compare_by_sources(const GaiConf& tables, const Destination& a,
                                        const Destination& b) {
  const auto fits_scope = [&](const Destination& one) {
    return tables.scope_of(one.address, one.family) == tables.scope_of(one.source, one.family);
  };
  const auto fits_label = [&](const Destination& one) {
    return tables.label_of(one.address) == tables.label_of(one.source);
  };
  if (const auto by = true_first(fits_scope(a), fits_scope(b)); by != 0) return by;
  if (const auto by = true_first(!a.deprecated, !b.deprecated); by != 0) return by;
  if (const auto by = true_first(a.home, b.home); by != 0) return by;
  return true_first(fits_label(a), fits_label(b));
}

// Before 0: a is to be tried first.
std::strong_ordering compare(const GaiConf& tables, const Destination& a, const Destination& b) {
  if (a.reachable != b.reachable) return true_first(a.reachable, b.reachable);
  const bool sources = a.reachable;
  if (sources) {
    if (const auto by = compare_by_sources(tables, a, b); by != 0) return by;
  }
  const auto precedence = tables.precedence_of(b.address) <=> tables.precedence_of(a.address);
  if (precedence != 0) return precedence;
  if (sources && a.interface != b.interface) {
    if (const auto by = true_first(a.native, b.native); by != 0) return by;
  }
  const auto scope = tables.scope_of(a.address, a.family) <=> tables.scope_of(b.address, b.family);
  if (scope != 0) return scope;
  if (!sources || a.family != b.family) return std::strong_ordering::equal;
  return matching_bits(b) <=> matching_bits(a);
}

}  // namespace

// By merging, which no comparison leads astray: between families, the rules are not transitive.
void sort_destinations(const GaiConf& tables, std::span<Destination> destinations,
                       std::span<Destination> room) {
  if (destinations.size() < 2) return;
  const auto left = destinations.first(destinations.size() / 2);
  const auto right = destinations.subspan(left.size());
  sort_destinations(tables, left, room);
  sort_destinations(tables, right, room);
  std::merge(left.begin(), left.end(), right.begin(), right.end(), room.begin(),
             [&](const Destination& a, const Destination& b) { return compare(tables, a, b) < 0; });
  std::copy_n(room.begin(), destinations.size(), destinations.begin());
}

}  // namespace px::shim
