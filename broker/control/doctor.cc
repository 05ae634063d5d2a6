// SPDX-License-Identifier: MIT
#include "broker/control/doctor.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "broker/control/reports.h"
#include "broker/host/own_routing.h"
#include "broker/routing/nft_table.h"

namespace px::broker {
namespace {

using nlohmann::json;

constexpr int kStrict = 1;
constexpr char kReload[] = "pxctl reload";

std::string hex(std::uint32_t number) {
  std::array<char, 11> text{};
  std::snprintf(text.data(), text.size(), "0x%x", number);
  return text.data();
}

json finding(const char* severity, const std::string& what, const std::string& remedy) {
  return {{"severity", severity}, {"what", what}, {"do", remedy.empty() ? json() : json(remedy)}};
}

const kernel::Link* link_of(const kernel::State& kernel, std::uint32_t index) {
  const auto link = std::find_if(kernel.links.begin(), kernel.links.end(),
                                 [&](const kernel::Link& each) { return each.index == index; });
  return link == kernel.links.end() ? nullptr : &*link;
}

json route_text(const std::optional<TableRoute>& route, const kernel::State& kernel) {
  if (!route) return {};
  const kernel::Link* link = link_of(kernel, route->interface_index);
  const std::string interface = link == nullptr ? "a link that is gone" : link->name;
  return route->next_hop ? text_of(*route->next_hop) + " on " + interface : interface;
}

json next_hops_report(const HostChecks& checks) {
  json report = json::array();
  for (const RoutingTable& table : checks.demand.tables) {
    const auto mark = checks.marks.find(table.key);
    const std::uint32_t value = mark == checks.marks.end() ? 0 : mark->second;
    json id;
    for (const OwnRule& rule : checks.wanted.rules) {
      if (rule.mark == value && rule.table && value != 0) id = *rule.table;
    }
    report.push_back({{"key", table.key},
                      {"mark", hex(value)},
                      {"table", id},
                      {"ipv4", route_text(table.ipv4, checks.kernel)},
                      {"ipv6", route_text(table.ipv6, checks.kernel)}});
  }
  return report;
}

std::string rule_text(const kernel::Rule& rule) {
  std::string text = std::to_string(rule.priority) + ": " + (rule.ipv4 ? "ipv4" : "ipv6");
  if (rule.invert) text += " not";
  if (rule.mark_mask != 0) text += " fwmark " + hex(rule.mark) + "/" + hex(rule.mark_mask);
  if (rule.source) text += " from " + text_of(rule.source->base);
  if (rule.destination) text += " to " + text_of(rule.destination->base);
  if (!rule.input_interface.empty()) text += " iif " + rule.input_interface;
  if (!rule.output_interface.empty()) text += " oif " + rule.output_interface;
  if (rule.action == kernel::RuleAction::kTable) text += " lookup " + std::to_string(rule.table);
  if (rule.action == kernel::RuleAction::kDeny) text += " unreachable";
  return text;
}

bool is_system_rule(const kernel::Rule& rule) {
  return rule.action == kernel::RuleAction::kTable && rule.mark_mask == 0 && !rule.source &&
         !rule.destination &&
         (rule.table == kernel::kLocalTable || rule.table == kernel::kMainTable ||
          rule.table == kernel::kDefaultTable);
}

json foreign_rules_report(const HostChecks& checks) {
  json report = json::array();
  for (const kernel::Rule& rule : checks.kernel.rules) {
    if (is_own(rule) || is_system_rule(rule)) continue;
    report.push_back(
        {{"priority", rule.priority},
         {"family", rule.ipv4 ? "ipv4" : "ipv6"},
         {"mark", rule.mark_mask == 0 ? json() : json(hex(rule.mark))},
         {"mark_mask", rule.mark_mask == 0 ? json() : json(hex(rule.mark_mask))},
         {"table", rule.action == kernel::RuleAction::kTable ? json(rule.table) : json()},
         {"text", rule_text(rule)}});
  }
  return report;
}

// Whether the rule is about packets that somebody marks with bits of px's.
bool uses_bits_of(std::uint32_t mark_mask, const kernel::Rule& rule) {
  return (rule.mark & rule.mark_mask & mark_mask) != 0;
}

// Whether the rule takes packets that have nothing but a mark of px's.
bool takes_marked(const kernel::Rule& rule, const Marks& marks) {
  return std::any_of(marks.begin(), marks.end(), [&](const auto& each) {
    return ((each.second & rule.mark_mask) == rule.mark) != rule.invert;
  });
}

void find_foreign_marks(const HostChecks& checks, json& findings) {
  if (checks.demand.empty()) return;
  const std::uint32_t lowered = lowered_by(checks.kernel);
  for (const kernel::Rule& rule : checks.kernel.rules) {
    if (is_own(rule) || is_system_rule(rule)) continue;
    if (uses_bits_of(checks.mark_mask, rule)) {
      findings.push_back(
          finding("warning",
                  "another's marks have bits of px's mark mask " + hex(checks.mark_mask) + ": " +
                      rule_text(rule),
                  "set broker.mark-mask in the policy to bits that nobody else uses"));
    } else if (rule.priority + lowered <= kGuardPriority &&
               (rule.mark_mask == 0 || takes_marked(rule, checks.marks))) {
      findings.push_back(
          finding("note", "another's rule decides before px's: " + rule_text(rule), ""));
    }
  }
}

void find_missing_and_left_over(const HostChecks& checks, json& findings) {
  const auto changes = changes_between(found_state(checks.kernel), checks.wanted);
  std::size_t missing = changes.added_rules.size();
  std::size_t down = 0;
  for (const OwnRoute& route : changes.added_routes) {
    const kernel::Link* link = link_of(checks.kernel, route.interface_index);
    ++(route.unreachable() || (link != nullptr && link->up) ? missing : down);
  }
  if (missing != 0) {
    findings.push_back(finding("warning",
                               std::to_string(missing) +
                                   " of px's routes and rules were taken away by somebody; what "
                                   "needs them fails",
                               kReload));
  }
  if (down != 0) {
    findings.push_back(
        finding("note", std::to_string(down) + " of px's routes wait for a link that is down", ""));
  }
  const std::size_t stale = changes.removed_rules.size() + changes.removed_routes.size();
  if (stale == 0) return;
  // Without a demand of its own they may well be another broker's.
  if (checks.demand.empty() && checks.no_next_hops) {
    findings.push_back(finding(
        "note", std::to_string(stale) + " routes and rules here are of another broker of px", ""));
  } else {
    findings.push_back(finding(
        "warning", std::to_string(stale) + " routes and rules of px are left that nothing needs",
        kReload));
  }
}

// Of interfaces where answers come in to what the main table would have sent by another one.
void find_strict_filters(const HostChecks& checks, json& findings) {
  const kernel::Route* best = nullptr;
  for (const kernel::Route& route : checks.kernel.routes) {
    const bool candidate = route.ipv4 && route.table == kernel::kMainTable && route.is_default() &&
                           route.kind == kernel::RouteKind::kUnicast && !route.next_hops.empty();
    if (candidate && (best == nullptr || route.metric < best->metric)) best = &route;
  }
  for (const SourceFilter& filter : checks.filters) {
    if (filter.rp_filter != kStrict || !checks.interfaces.contains(filter.interface)) continue;
    const kernel::Link* link =
        best == nullptr ? nullptr : link_of(checks.kernel, best->next_hops.front().interface_index);
    if (link != nullptr && link->name == filter.interface) continue;
    findings.push_back(finding("warning",
                               filter.interface +
                                   " drops answers to what px sends by it: its rp_filter is "
                                   "strict, and the main table leads elsewhere",
                               "sysctl -w net.ipv4.conf." + filter.interface + ".rp_filter=2"));
  }
}

}  // namespace

json doctor_report(const HostChecks& checks) {
  json findings = json::array();
  if (checks.no_next_hops) {
    findings.push_back(
        finding(checks.demand.empty() ? "note" : "warning",
                "next hops by rule and `listen` cannot be had: " + *checks.no_next_hops, ""));
  }
  find_missing_and_left_over(checks, findings);
  if (needs_nft_table(checks.demand) && checks.nft_table == false) {
    findings.push_back(finding("warning",
                               "the nftables table `inet px` was taken away: answers of servers "
                               "under received-interface leave by the main table, and next hops "
                               "are not guarded",
                               kReload));
  }
  if (checks.no_subflows) {
    findings.push_back(finding("warning",
                               "MPTCP connections have one path each, since the broker cannot make "
                               "them others: " +
                                   *checks.no_subflows,
                               "run the system's broker, or set broker.mptcp-subflows to false"));
  }
  if (checks.without_library != 0) {
    findings.push_back(finding(
        "warning",
        "running programs that PX_PROFILE has come to and libpx.so has not: " +
            std::to_string(checks.without_library) +
            "; they go as the host routes them. LD_PRELOAD was replaced on the way, or not heeded",
        "pxctl ps names them; have what starts them keep libpx.so in LD_PRELOAD"));
  }
  find_foreign_marks(checks, findings);
  find_strict_filters(checks, findings);
  json filters = json::array();
  for (const SourceFilter& filter : checks.filters) {
    filters.push_back({{"interface", filter.interface},
                       {"rp_filter", filter.rp_filter},
                       {"src_valid_mark", filter.src_valid_mark}});
  }
  const bool healthy = std::none_of(findings.begin(), findings.end(), [](const json& each) {
    return each.at("severity") == "warning";
  });
  return {{"healthy", healthy},
          {"findings", findings},
          {"mark_mask", checks.mark_mask == 0 ? json() : json(hex(checks.mark_mask))},
          {"next_hops", next_hops_report(checks)},
          {"foreign_rules", foreign_rules_report(checks)},
          {"source_filters", filters}};
}

}  // namespace px::broker
