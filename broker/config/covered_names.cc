// SPDX-License-Identifier: MIT
#include "broker/config/covered_names.h"

namespace px::broker {

void CoveredNames::add(const dns::NamePattern& pattern) {
  const auto domain = pattern.domain().wire();
  patterns_.emplace(Bytes(domain.begin(), domain.end()), pattern.is_wildcard());
}

bool CoveredNames::covers(const dns::NamePattern& pattern) const {
  bool below = pattern.is_wildcard();
  for (auto domain = pattern.domain().wire(); domain.size() > 1;
       domain = domain.subspan(domain.front() + std::size_t{1})) {
    if (patterns_.contains({Bytes(domain.begin(), domain.end()), below})) return true;
    below = true;
  }
  return false;
}

}  // namespace px::broker
