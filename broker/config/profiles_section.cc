// SPDX-License-Identifier: MIT
#include "broker/config/profiles_section.h"

#include <algorithm>

#include "broker/config/bundle_reader.h"
#include "broker/config/covered_names.h"
#include "broker/config/covered_networks.h"
#include "broker/config/listen_reader.h"
#include "broker/config/match_reader.h"
#include "broker/config/names_reader.h"
#include "broker/config/rule_reader.h"
#include "plan/wire.h"

namespace px::broker {
namespace {

constexpr Key kKeys[] = {{"rules"}, {"on-link"}, {"if-unavailable"}, {"inherit"},
                         {"match"}, {"listen"},  {"bundle"},         {"dns"}};
constexpr Choice<bool> kInherit[] = {{"true", true}, {"false", false}};
constexpr Choice<bool> kOnLink[] = {{"system", true}, {"rules", false}};
constexpr Choice<plan::IfUnavailable> kIfUnavailable[] = {{"block", plan::IfUnavailable::kBlock},
                                                          {"next", plan::IfUnavailable::kNext},
                                                          {"system", plan::IfUnavailable::kSystem}};

// Whether the rule decides each call to its networks, so that no later one is looked at for them.
// Under `next`, a rule hands on what none of its paths can take.
bool decides_alone(const Rule& rule, plan::IfUnavailable if_unavailable) {
  const bool hands_on =
      rule.action == plan::RuleAction::kVia && if_unavailable == plan::IfUnavailable::kNext;
  return !hands_on && rule.ports.empty() && rule.transports.empty();
}

bool says_any(const Rule& rule) {
  return std::any_of(rule.to.begin(), rule.to.end(),
                     [](const Network& network) { return network.prefix_length == 0; });
}

// What the rules so far have decided.
class DecidedCalls {
 public:
  void add(const Rule& rule, plan::IfUnavailable if_unavailable) {
    if (by_ || !decides_alone(rule, if_unavailable)) return;
    for (const Network& network : rule.to) covered_.add(network);
    for (const dns::NamePattern& name : rule.to_names) names_.add(name);
    last_line_ = rule.position.line;
    if (!covered_.everything()) return;
    const std::string line = std::to_string(last_line_);
    by_ = says_any(rule) ? "the rule with 'to: any' on line " + line + " decides every call"
                         : "the rules up to line " + line + " together decide every call";
  }

  // Who decides every call; nothing as long as none does.
  [[nodiscard]] const std::optional<std::string>& by() const { return by_; }
  [[nodiscard]] bool all_of(const Rule& rule) const {
    return std::ranges::all_of(rule.to,
                               [&](const Network& network) { return covered_.covers(network); }) &&
           std::ranges::all_of(rule.to_names,
                               [&](const dns::NamePattern& name) { return names_.covers(name); });
  }
  [[nodiscard]] int last_line() const { return last_line_; }

 private:
  CoveredNetworks covered_;
  CoveredNames names_;
  int last_line_ = 0;  // of the rules that decide alone
  std::optional<std::string> by_;
};

void read_rules(const Value& list, Profile& profile, Draft& draft, Report& report) {
  const auto items = read_list(list, "a list of rules", report);
  DecidedCalls decided;
  bool reported = false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (decided.by() && !reported) {
      const std::size_t others = items.size() - i - 1;
      report.add(items[i]->place,
                 "unreachable rule" +
                     (others == 0 ? "" : " (and " + std::to_string(others) + " more after it)") +
                     ": " + *decided.by());
      reported = true;
    }
    auto rule = read_rule(*items[i], draft, report);
    if (!rule) continue;
    if (!decided.by() && decided.all_of(*rule)) {
      draft.policy.warnings.push_back(
          {rule->position, "this rule never decides: earlier ones, up to line " +
                               std::to_string(decided.last_line()) + ", decide all of " +
                               in_quotes(rule->to_text) +
                               "; move it before them, or leave it out"});
    }
    decided.add(*rule, profile.if_unavailable);
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
  if (const Value* value = map.get("dns")) profile.names = read_names(*value, draft, report);
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
