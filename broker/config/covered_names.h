// SPDX-License-Identifier: MIT
// Names that earlier rules have decided already, to find rules that never can. A value; the reader
// of a profile owns one.
#pragma once

#include <set>
#include <utility>
#include <vector>

#include "dns/name_pattern.h"

namespace px::broker {

class CoveredNames {
 public:
  void add(const dns::NamePattern& pattern);
  // Whether one that was added covers it.
  [[nodiscard]] bool covers(const dns::NamePattern& pattern) const;

 private:
  using Bytes = std::vector<std::uint8_t>;
  std::set<std::pair<Bytes, bool>> patterns_;  // the domain as DNS has it, and whether `*.`
};

}  // namespace px::broker
