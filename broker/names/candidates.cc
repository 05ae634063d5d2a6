// SPDX-License-Identifier: MIT
#include "broker/names/candidates.h"

#include <algorithm>
#include <span>

namespace px::broker {

std::size_t dots_in(const dns::Name& name) {
  std::size_t labels = 0;
  for (auto wire = name.wire(); wire.front() != 0; wire = wire.subspan(wire.front() + 1u)) ++labels;
  return labels == 0 ? 0 : labels - 1;
}

Candidates candidates_of(const dns::Name& name, bool searches, const SearchList& list) {
  Candidates candidates;
  candidates.first_counts = !searches || dots_in(name) >= list.ndots;
  if (candidates.first_counts) candidates.names.push_back(name);
  if (!searches) return candidates;
  for (const dns::Name& domain : list.domains) {
    if (const auto joined = name.below(domain)) candidates.names.push_back(*joined);
  }
  if (!candidates.first_counts) candidates.names.push_back(name);
  return candidates;
}

SearchList search_list_of(const plan::Lookup& lookup, SearchList of_profile) {
  if (lookup.ndots != plan::kNdotsOfProfile) of_profile.ndots = lookup.ndots;
  if (lookup.search_length == 0) return of_profile;
  of_profile.domains.clear();
  std::span<const std::uint8_t> bytes(lookup.search, lookup.search_length);
  while (const auto domain = dns::Name::from_wire(bytes)) {
    of_profile.domains.push_back(*domain);
    bytes = bytes.subspan(domain->wire().size());
  }
  return of_profile;
}

}  // namespace px::broker
