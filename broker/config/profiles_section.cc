// SPDX-License-Identifier: MIT
#include "broker/config/profiles_section.h"

#include <algorithm>

#include "broker/config/bundle_reader.h"
#include "broker/config/listen_reader.h"
#include "broker/config/match_reader.h"
#include "broker/config/rule_reader.h"
#include "plan/wire.h"

namespace px::broker {
namespace {

constexpr Key kKeys[] = {{"rules"}, {"on-link"}, {"if-unavailable"}, {"inherit"},
                         {"match"}, {"listen"},  {"bundle"},         {"dns", true}};
constexpr Choice<bool> kInherit[] = {{"true", true}, {"false", false}};
constexpr Choice<bool> kOnLink[] = {{"system", true}, {"rules", false}};
constexpr Choice<plan::IfUnavailable> kIfUnavailable[] = {{"block", plan::IfUnavailable::kBlock},
                                                          {"next", plan::IfUnavailable::kNext},
                                                          {"system", plan::IfUnavailable::kSystem}};

// Whether the rule decides every call, so that no later one is ever looked at. Under `next`, a rule
// hands on what none of its paths can take.
bool is_final(const Rule& rule, plan::IfUnavailable if_unavailable) {
  const bool any = std::any_of(rule.to.begin(), rule.to.end(),
                               [](const Network& network) { return network.prefix_length == 0; });
  const bool decides =
      rule.action != plan::RuleAction::kVia || if_unavailable != plan::IfUnavailable::kNext;
  return any && decides && rule.ports.empty() && rule.transports.empty();
}

void read_rules(const Value& list, Profile& profile, Draft& draft, Report& report) {
  const auto items = read_list(list, "a list of rules", report);
  std::optional<Position> final_rule;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (final_rule && final_rule->line != 0) {
      const std::size_t others = items.size() - i - 1;
      report.add(items[i]->place,
                 "unreachable rule" +
                     (others == 0 ? "" : " (and " + std::to_string(others) + " more after it)") +
                     ": the rule with 'to: any' on line " + std::to_string(final_rule->line) +
                     " decides every call");
      final_rule->line = 0;
    }
    auto rule = read_rule(*items[i], draft, report);
    if (!rule) continue;
    if (!final_rule && is_final(*rule, profile.if_unavailable)) final_rule = rule->position;
    profile.rules.push_back(std::move(*rule));
  }
}

}  // namespace

std::span<const Key> profile_keys() {
  return kKeys;
}

Profile read_profile(const Map& map, Draft& draft, Report& report) {
  Profile profile;
  read_choice(map, "on-link", kOnLink, profile.on_link_system, report);
  read_choice(map, "if-unavailable", kIfUnavailable, profile.if_unavailable, report);
  read_choice(map, "inherit", kInherit, profile.inherit, report);
  if (const Value* value = map.get("match")) profile.matches = read_matches(*value, report);
  if (const Value* value = map.get("listen")) {
    profile.listen = read_listen(*value, draft, report);
  }
  if (const Value* value = map.get("bundle")) profile.bundle = read_bundle(*value, report);
  if (const Value* value = map.get("rules")) read_rules(*value, profile, draft, report);
  return profile;
}

void read_profiles(const Value& section, Draft& draft, Report& report) {
  if (section.kind != Kind::kMap && section.kind != Kind::kNothing) draft.incomplete = true;
  for (const KeyValue& item : read_named(section, "a map of profile names", report)) {
    const std::string& name = item.key->text;
    if (!plan::valid_profile_name(name)) {
      report.add(item.key->place, "bad profile name " + in_quotes(name) +
                                      "; expected 1 to 63 of A-Z a-z 0-9 . _ -, not starting "
                                      "with a dot");
    } else if (name == kNoProfile) {
      report.add(item.key->place, "bad profile name 'none'; it stands for no profile");
    }
    const bool is_new = define(draft.profiles, "profile", *item.key, report);
    const Map map = Map::read(*item.value, "a map with 'rules'", kKeys, report);
    Profile profile = read_profile(map, draft, report);
    if (!is_new) continue;
    profile.name = name;
    profile.position = report.at(item.key->place);
    draft.policy.profiles.push_back(std::move(profile));
  }
}

}  // namespace px::broker
