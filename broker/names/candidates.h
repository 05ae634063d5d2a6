// SPDX-License-Identifier: MIT
// What a search list makes of a name, in the order of libc's resolver (res_search). Pure.
#pragma once

#include <vector>

#include "dns/name.h"
#include "plan/name_wire.h"

namespace px::broker {

struct SearchList {
  std::vector<dns::Name> domains;
  std::uint8_t ndots = 1;
};

struct Candidates {
  std::vector<dns::Name> names;  // at least one
  // The first is the name itself because it has dots enough: where none is there, what was said of
  // this one counts.
  bool first_counts = false;
};

[[nodiscard]] std::size_t dots_in(const dns::Name& name);

// `searches`: the name has no dot at its end. A domain with which it is too long is passed over.
[[nodiscard]] Candidates candidates_of(const dns::Name& name, bool searches,
                                       const SearchList& list);

// The profile's list, where the program's environment says nothing else.
[[nodiscard]] SearchList search_list_of(const plan::Lookup& lookup, SearchList of_profile);

}  // namespace px::broker
