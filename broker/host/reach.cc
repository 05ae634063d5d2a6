// SPDX-License-Identifier: MIT
#include "broker/host/reach.h"

#include <algorithm>
#include <utility>

#include "broker/host/range_set.h"

namespace px::broker {
namespace {

using kernel::RouteKind;
using kernel::Rule;
using kernel::RuleAction;

Ranges everything(bool ipv4) {
  return {ipv4 ? network_range(bundle::ipv4_address(0), kernel::kIpv4PrefixOffset)
               : network_range(Address{}, 0)};
}

bool covers(const kernel::Prefix& prefix, const Address& address) {
  return bundle::common_prefix_length(prefix.base, address) >= prefix.length;
}

// Whether the host's own unmarked traffic can come under this rule at all.
bool concerns_host(const Rule& rule) {
  if (rule.selects_some) return false;
  const bool local = rule.input_interface.empty() || rule.input_interface == "lo";
  return (local && (rule.mark & rule.mark_mask) == 0) || rule.invert;
}

// All selectors but the destination.
bool selectors_hold(const Rule& rule, const kernel::Link& link,
                    const std::optional<Address>& source) {
  if (!rule.input_interface.empty() && rule.input_interface != "lo") return false;
  if (!rule.output_interface.empty() && rule.output_interface != link.name) return false;
  if ((rule.mark & rule.mark_mask) != 0) return false;
  return !rule.source || rule.source->length == 0 || (source && covers(*rule.source, *source));
}

Ranges area(const Rule& rule, bool selectors_hold) {
  if (!selectors_hold) return everything(rule.ipv4);  // an inverted rule
  if (!rule.destination) return rule.invert ? Ranges{} : everything(rule.ipv4);
  const Ranges inside{network_range(rule.destination->base, rule.destination->length)};
  return rule.invert ? subtract(everything(rule.ipv4), inside) : inside;
}

}  // namespace

Reach::Reach(const kernel::State& state) {
  for (const Rule& rule : state.rules) {
    if (concerns_host(rule)) rules_[rule.ipv4].push_back(&rule);
  }
  std::uint32_t position = 0;
  for (const bool of_some_sources : {false, true}) {
    if (of_some_sources) first_by_source_ = position;
    for (const auto& rules : rules_) {
      for (const Rule* rule : rules) {
        if (rule->action != RuleAction::kTable || rule->table == kernel::kLocalTable) continue;
        if (rule->source.has_value() != of_some_sources) continue;
        positions_.try_emplace({rule->ipv4, rule->table}, position++);
      }
    }
  }
  for (const kernel::Route& route : state.routes) {
    const TableKey key{route.ipv4, route.table};
    if (route.kind == RouteKind::kLocal || !positions_.contains(key)) continue;
    const Candidate candidate{network_range(route.destination.base, route.destination.length),
                              route.destination.length, route.metric, route.kind};
    Table& table = tables_[key];
    if (route.kind != RouteKind::kUnicast) {
      table.of_all.push_back(candidate);
      continue;
    }
    for (const kernel::NextHop& hop : route.next_hops) {
      if (hop.alive) table.of_interface[hop.interface_index].push_back(candidate);
    }
  }
}

std::optional<std::uint32_t> Reach::table_position(std::uint32_t table, bool ipv4) const {
  const auto found = positions_.find({ipv4, table});
  if (found == positions_.end()) return std::nullopt;
  return found->second;
}

std::uint32_t Reach::find(const kernel::Link& link, bool ipv4,
                          const std::optional<Address>& source) {
  ListKey key{link.index, ipv4, steps(link, ipv4, source)};
  const auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  const auto index = static_cast<std::uint32_t>(lists_.size());
  auto [reached, decided] = walk(link.index, ipv4, std::get<2>(key));
  lists_.push_back(std::move(reached));
  decides_all_.push_back(decided == everything(ipv4));
  known_.emplace(std::move(key), index);
  return index;
}

std::vector<Reach::Step> Reach::steps(const kernel::Link& link, bool ipv4,
                                      const std::optional<Address>& source) const {
  std::vector<Step> steps;
  std::uint32_t skip_below = 0;
  for (const Rule* rule : rules_[ipv4]) {
    if (rule->priority < skip_below) continue;
    const bool hold = selectors_hold(*rule, link, source);
    if (rule->invert ? hold && !rule->destination : !hold) continue;
    if (rule->action == RuleAction::kGoto) {
      // A jump for some destinations only is left out: both branches would have to be walked.
      if (!rule->destination) skip_below = rule->goto_priority;
    } else if (rule->action != RuleAction::kNothing) {
      steps.push_back({rule, hold});
    }
  }
  return steps;
}

std::pair<Ranges, Ranges> Reach::walk(std::uint32_t interface_index, bool ipv4,
                                      const std::vector<Step>& steps) {
  Ranges reached;
  Ranges decided;
  for (const Step& step : steps) {
    const Ranges destinations = area(*step.rule, step.selectors_hold);
    if (step.rule->action == RuleAction::kDeny) {
      decided = unite(decided, destinations);
      continue;
    }
    const Outcome& found =
        outcome({{ipv4, step.rule->table}, interface_index, step.rule->suppressed_length});
    reached = unite(reached, subtract(intersect(found.covered, destinations), decided));
    decided = unite(decided, intersect(unite(found.covered, found.denied), destinations));
  }
  return {std::move(reached), std::move(decided)};
}

const Reach::Outcome& Reach::outcome(const OutcomeKey& key) {
  const auto [place, is_new] = outcomes_.try_emplace(key);
  const auto& [table_key, interface_index, suppressed_length] = key;
  const auto table = tables_.find(table_key);
  if (!is_new || table == tables_.end()) return place->second;

  std::vector<Candidate> candidates = table->second.of_all;
  const auto own = table->second.of_interface.find(interface_index);
  if (own != table->second.of_interface.end()) {
    for (Candidate candidate : own->second) {
      if (suppressed_length && candidate.length <= *suppressed_length) {
        candidate.kind = RouteKind::kThrow;
      }
      candidates.push_back(candidate);
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return std::tie(a.range.low, a.length, a.metric) < std::tie(b.range.low, b.length, b.metric);
  });
  place->second = paint(candidates);
  return place->second;
}

// Networks either nest or are apart, so a stack of those around the current address is enough: what
// no inner one claims belongs to the innermost around it. Of equal ones the first decides.
Reach::Outcome Reach::paint(const std::vector<Candidate>& sorted) {
  Ranges covered;
  Ranges denied;
  std::vector<const Candidate*> around;
  std::optional<Address> next;  // the first address not yet painted; absent: past the last one
  const auto paint_up_to = [&](const Address& high) {
    const RouteKind kind = around.back()->kind;
    if (next && *next <= high) {
      if (kind == RouteKind::kUnicast) covered.push_back({*next, high});
      if (kind == RouteKind::kDeny) denied.push_back({*next, high});
      next = address_after(high);
    }
  };
  const auto close_innermost = [&] {
    paint_up_to(around.back()->range.high);
    around.pop_back();
  };
  for (const Candidate& candidate : sorted) {
    while (!around.empty() && around.back()->range.high < candidate.range.low) close_innermost();
    if (!around.empty()) {
      if (around.back()->range == candidate.range) continue;
      if (const auto before = address_before(candidate.range.low)) paint_up_to(*before);
    }
    next = candidate.range.low;
    around.push_back(&candidate);
  }
  while (!around.empty()) close_innermost();
  return {merge(std::move(covered)), merge(std::move(denied))};
}

}  // namespace px::broker
