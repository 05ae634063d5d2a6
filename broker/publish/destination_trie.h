// SPDX-License-Identifier: MIT
// Builds the plan's index from destination, transport and port to rules: a path-compressed trie of
// networks, and a sorted list of names, whose nodes carry port segments. Built once per plan, in
// O(n log n) of its rules.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "broker/config/policy.h"
#include "plan/layout.h"

namespace px::broker {

struct DestinationIndex {
  std::vector<plan::Node> nodes;
  std::vector<plan::Segment> segments;
  std::vector<std::uint32_t> rule_ids;
  std::vector<plan::NameNode> name_nodes;
  std::vector<char> text;  // what these point into
};

// `rules_pass_on`: a `via` rule none of whose entries is available hands on to the next match
// (if-unavailable: next), so later rules must stay findable behind it.
[[nodiscard]] DestinationIndex build_destination_index(const std::vector<Rule>& rules,
                                                       bool rules_pass_on);

}  // namespace px::broker
