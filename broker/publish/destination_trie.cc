// SPDX-License-Identifier: MIT
#include "broker/publish/destination_trie.h"

#include <algorithm>
#include <set>

namespace px::broker {
namespace {

constexpr std::uint32_t kPorts = 65536;

unsigned bit(const Address& address, unsigned index) {
  return (address.bytes[index / 8] >> (7 - index % 8)) & 1u;
}

plan::Node make_node(const Address& network, unsigned prefix_length) {
  return {network, prefix_length, {plan::kNoNode, plan::kNoNode}, 0, 0};
}

// The node of a network, made where there is none.
std::uint32_t insert(std::vector<plan::Node>& nodes, const Network& network) {
  std::uint32_t current = 0;
  while (nodes[current].prefix_length != network.prefix_length) {
    const unsigned side = bit(network.base, nodes[current].prefix_length);
    const std::uint32_t child = nodes[current].child[side];
    const auto fresh = static_cast<std::uint32_t>(nodes.size());
    if (child == plan::kNoNode) {
      nodes.push_back(make_node(network.base, network.prefix_length));
      nodes[current].child[side] = fresh;
      return fresh;
    }
    const unsigned common =
        std::min({bundle::common_prefix_length(nodes[child].network, network.base),
                  nodes[child].prefix_length, network.prefix_length});
    if (common < nodes[child].prefix_length) {
      // The node between carries only the bits both share; the rest of its address is not read.
      nodes.push_back(make_node(network.base, common));
      nodes[fresh].child[bit(nodes[child].network, common)] = child;
      nodes[current].child[side] = fresh;
      current = fresh;
    } else {
      current = child;
    }
  }
  return current;
}

bool applies(const Rule& rule, plan::Transport transport) {
  return rule.transports.empty() || std::find(rule.transports.begin(), rule.transports.end(),
                                              transport) != rule.transports.end();
}

// Sweeps over the ports of one transport and appends a segment wherever the matching rules change.
class SegmentSweep {
 public:
  SegmentSweep(const std::vector<Rule>& rules, bool rules_pass_on, DestinationIndex& index)
      : rules_(rules), rules_pass_on_(rules_pass_on), index_(index) {}

  void run(const std::vector<std::uint32_t>& candidates, plan::Transport transport) {
    std::map<std::uint32_t, std::vector<std::uint32_t>> starts;
    std::map<std::uint32_t, std::vector<std::uint32_t>> ends;
    starts[0];
    for (const std::uint32_t id : candidates) {
      if (!applies(rules_[id], transport)) continue;
      if (rules_[id].ports.empty()) starts[0].push_back(id);
      for (const PortRange& range : rules_[id].ports) {
        starts[range.low].push_back(id);
        ends[range.high + 1u].push_back(id);
      }
    }
    for (const auto& [port, unused] : ends) starts[port];
    std::multiset<std::uint32_t> active;  // ranges of one rule may overlap
    std::vector<std::uint32_t> last;
    bool first = true;
    for (const auto& [port, begun] : starts) {
      if (port >= kPorts || too_large()) break;
      if (const auto ended = ends.find(port); ended != ends.end()) {
        for (const std::uint32_t id : ended->second) active.erase(active.find(id));
      }
      active.insert(begun.begin(), begun.end());
      std::vector<std::uint32_t> ids = deciding(active);
      if (!first && ids == last) continue;
      append(transport, static_cast<std::uint16_t>(port), ids);
      last = std::move(ids);
      first = false;
    }
  }

 private:
  // Then the plan is not published: the builder refuses one of that size.
  [[nodiscard]] bool too_large() const {
    return index_.rule_ids.size() * sizeof(std::uint32_t) > plan::kHalfSize;
  }

  // The active rules in order, up to the first that always decides.
  std::vector<std::uint32_t> deciding(const std::multiset<std::uint32_t>& active) const {
    std::vector<std::uint32_t> ids;
    for (const std::uint32_t id : active) {
      if (ids.empty() || ids.back() != id) ids.push_back(id);
      if (!rules_pass_on_ || rules_[id].action != plan::RuleAction::kVia) break;
    }
    return ids;
  }

  void append(plan::Transport transport, std::uint16_t port,
              const std::vector<std::uint32_t>& ids) {
    index_.segments.push_back({plan::segment_key(transport, port),
                               static_cast<std::uint32_t>(index_.rule_ids.size()),
                               static_cast<std::uint32_t>(ids.size())});
    index_.rule_ids.insert(index_.rule_ids.end(), ids.begin(), ids.end());
  }

  const std::vector<Rule>& rules_;
  bool rules_pass_on_;
  DestinationIndex& index_;
};

using RuleIds = std::vector<std::uint32_t>;

void add_once(RuleIds& ids, std::uint32_t id) {
  if (ids.empty() || ids.back() != id) ids.push_back(id);
}

// The segments of a node for all transports: where they begin, and how many there are.
plan::Section sweep_all(SegmentSweep& sweep, const RuleIds& ids, const DestinationIndex& index) {
  const auto first = static_cast<std::uint32_t>(index.segments.size());
  for (std::uint32_t transport = 0; transport < plan::kTransportCount; ++transport) {
    sweep.run(ids, static_cast<plan::Transport>(transport));
  }
  return {first, static_cast<std::uint32_t>(index.segments.size()) - first};
}

// In the order in which a plan has them: bytes, not the characters that they may stand for.
using DomainBytes = std::vector<std::uint8_t>;
using RulesOfNames = std::map<std::pair<DomainBytes, bool>, RuleIds>;

RulesOfNames rules_of_names(const std::vector<Rule>& rules) {
  RulesOfNames found;
  for (std::uint32_t id = 0; id < rules.size(); ++id) {
    for (const dns::NamePattern& name : rules[id].to_names) {
      const auto domain = name.domain().wire();
      add_once(found[{DomainBytes(domain.begin(), domain.end()), name.is_wildcard()}], id);
    }
  }
  return found;
}

}  // namespace

DestinationIndex build_destination_index(const std::vector<Rule>& rules, bool rules_pass_on) {
  DestinationIndex index;
  if (rules.empty()) return index;
  index.nodes.push_back(make_node({}, 0));
  std::map<std::uint32_t, RuleIds> rules_of_node;
  for (std::uint32_t id = 0; id < rules.size(); ++id) {
    for (const Network& network : rules[id].to) {
      add_once(rules_of_node[insert(index.nodes, network)], id);
    }
  }
  SegmentSweep sweep(rules, rules_pass_on, index);
  for (const auto& [node, ids] : rules_of_node) {
    const plan::Section segments = sweep_all(sweep, ids, index);
    index.nodes[node].first_segment = segments.offset;
    index.nodes[node].segment_count = segments.count;
  }
  for (const auto& [name, ids] : rules_of_names(rules)) {
    const auto& [domain, below] = name;
    const plan::Section segments = sweep_all(sweep, ids, index);
    index.name_nodes.push_back({static_cast<std::uint32_t>(index.text.size()),
                                static_cast<std::uint32_t>(domain.size()), below ? 1u : 0u,
                                segments.offset, segments.count});
    index.text.insert(index.text.end(), domain.begin(), domain.end());
  }
  return index;
}

}  // namespace px::broker
