// SPDX-License-Identifier: MIT
#include "broker/config/rule_reader.h"

#include <algorithm>

#include "broker/config/name_pattern_text.h"
#include "broker/config/network_text.h"
#include "broker/config/value_reader.h"

namespace px::broker {
namespace {

constexpr Key kKeys[] = {{"to"}, {"port"}, {"proto"}, {"via"}, {"action"}};
constexpr Choice<plan::Transport> kTransports[] = {{"tcp", plan::Transport::kTcp},
                                                   {"udp", plan::Transport::kUdp},
                                                   {"icmp", plan::Transport::kIcmp}};
constexpr Choice<plan::RuleAction> kActions[] = {{"block", plan::RuleAction::kBlock},
                                                 {"system", plan::RuleAction::kSystem}};

// What is wrong with a word of `to`; empty where the rule has it now.
std::string read_destination(std::string_view text, Rule& rule) {
  if (means_name(text)) {
    const auto pattern = parse_name_pattern(text);
    if (!pattern) return pattern.error();
    rule.to_names.push_back(*pattern);
    return {};
  }
  const auto networks = parse_destination(text);
  if (!networks) return networks.error();
  rule.to.insert(rule.to.end(), networks->begin(), networks->end());
  return {};
}

void read_to(const Value& value, Rule& rule, Report& report) {
  constexpr std::string_view kExpected = "a network, an address, a name or 'any'";
  for (const Value* item : read_one_or_list(value, kExpected, report)) {
    const auto text = read_text(*item, kExpected, report);
    if (!text) continue;
    if (const std::string problem = read_destination(*text, rule); !problem.empty()) {
      report.add(item->place, problem);
      continue;
    }
    if (!rule.to_text.empty()) rule.to_text += ", ";
    rule.to_text += *text;
  }
}

// The ports of a service. They are looked up once, when the policy is read.
void read_service(const Value& item, Rule& rule, Draft& draft, Report& report) {
  if (!draft.services) draft.services = ServiceNames::read(kServicesFile);
  const auto& ports = draft.services->ports(item.text);
  for (const std::uint16_t port : ports) rule.ports.push_back({port, port});
  if (!ports.empty()) return;
  const std::string meant(draft.services->closest(item.text));
  report.add(
      item.place,
      "unknown service " + in_quotes(item.text) +
          (meant.empty() ? std::string("; expected a port's number, or a name of ") + kServicesFile
                         : "; did you mean " + in_quotes(meant) + "?"));
}

void read_port(const Value& value, Rule& rule, Draft& draft, Report& report) {
  constexpr std::string_view kExpected = "a port, a range LOW-HIGH or a service's name";
  for (const Value* item : read_one_or_list(value, kExpected, report)) {
    const auto text = read_text(*item, kExpected, report);
    if (!text) continue;
    if (is_service_name(*text)) {
      read_service(*item, rule, draft, report);
    } else if (const auto ports = parse_ports(*text)) {
      rule.ports.push_back(*ports);
    } else {
      report.add(item->place, ports.error());
    }
  }
}

void report_duplicate(const Value& item, Report& report) {
  report.add(item.place, in_quotes(item.text) + " is in the list already");
}

void read_proto(const Value& value, Rule& rule, Report& report) {
  for (const Value* item : read_one_or_list(value, "tcp, udp or icmp", report)) {
    if (item->kind == Kind::kText && item->text == "sctp") {
      report.add(item->place,
                 "'sctp' is not told apart from 'tcp': px may make SCTP of a program's TCP; write "
                 "'tcp', which both are");
      continue;
    }
    const auto transport = read_choice<plan::Transport>(*item, kTransports, report);
    if (!transport) continue;
    const auto& seen = rule.transports;
    if (std::find(seen.begin(), seen.end(), *transport) != seen.end()) {
      report_duplicate(*item, report);
    }
    rule.transports.push_back(*transport);
  }
}

// A rule that could hold for nothing.
void check_ports_of_icmp(const Map& map, const Rule& rule, Report& report) {
  const bool icmp_alone = rule.transports == std::vector{plan::Transport::kIcmp};
  if (map.get("port") == nullptr || !icmp_alone) return;
  report.add(map.key_of("port")->place, "ICMP has no ports; leave 'port' out");
}

void check_completeness(const Value& value, const Map& map, Report& report) {
  if (value.kind != Kind::kMap) return;
  if (map.lacks("to")) {
    report.add(value.place, "rule without 'to'; expected a network, an address, a name or 'any'");
  }
  if (map.lacks("via") && map.lacks("action")) {
    report.add(value.place, "rule without 'via' and 'action'; expected one of them");
  }
}

}  // namespace

std::vector<std::string> read_via(const Value& value, Draft& draft, Report& report) {
  constexpr std::string_view kExpected = "the name of a path";
  std::vector<std::string> via;
  for (const Value* item : read_one_or_list(value, kExpected, report)) {
    const auto text = read_text(*item, kExpected, report);
    if (!text) continue;
    if (std::find(via.begin(), via.end(), *text) != via.end()) {
      report_duplicate(*item, report);
      continue;
    }
    via.emplace_back(*text);
    draft.via.push_back({std::string(*text), report.at(item->place)});
  }
  return via;
}

std::optional<Rule> read_rule(const Value& value, Draft& draft, Report& report) {
  const std::size_t before = draft.diagnostics.size();
  if (value.kind == Kind::kNothing) {
    report.add(value.place, "empty rule; expected a map with 'to' and 'via' or 'action'");
    return std::nullopt;
  }
  const Map map = Map::read(value, "a rule, a map with 'to' and 'via' or 'action'", kKeys, report);
  check_completeness(value, map, report);
  Rule rule;
  rule.position = report.at(value.place);
  if (const Value* to = map.get("to")) read_to(*to, rule, report);
  if (const Value* port = map.get("port")) read_port(*port, rule, draft, report);
  if (const Value* proto = map.get("proto")) read_proto(*proto, rule, report);
  check_ports_of_icmp(map, rule, report);
  if (const Value* via = map.get("via")) rule.via = read_via(*via, draft, report);
  if (const Value* action = map.get("action")) {
    rule.action = read_choice<plan::RuleAction>(*action, kActions, report).value_or(rule.action);
    if (map.get("via") != nullptr) {
      report.add(map.key_of("action")->place, "rule with both 'via' and 'action'; expected one");
    }
  }
  if (draft.diagnostics.size() != before) return std::nullopt;
  return rule;
}

}  // namespace px::broker
