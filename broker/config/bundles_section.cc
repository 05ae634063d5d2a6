// SPDX-License-Identifier: MIT
#include "broker/config/bundles_section.h"

#include <algorithm>
#include <set>

#include "libbundle/core/host_name.h"
#include "libbundle/core/notation.h"

namespace px::broker {
namespace {

using bundle::NotationKind;

constexpr Key kKeys[] = {{"hosts"}, {"alias"}};
constexpr std::string_view kAnyAlias = "any";

std::string lowered(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Where the notation is as the user wrote it, also what of it is wrong.
std::string fault_of(const bundle::Notation& notation, std::string_view written) {
  if (notation.kind == NotationKind::kPolicyName) {
    return std::string(bundle::fault_text(bundle::NotationFault::kNested));
  }
  std::string fault(bundle::fault_text(notation.fault));
  if (notation.position < written.size()) {
    fault += ", at " + in_quotes(written.substr(notation.position));
  }
  return fault;
}

// `hosts` as one text: a notation, or the one host that it is.
std::string read_notation(const Value& value, Report& report) {
  const auto notation = bundle::parse_notation(value.text);
  if (notation.kind == NotationKind::kMembers) return value.text;
  const bool plain = notation.kind == NotationKind::kNone;
  std::string bracketed = "<" + value.text + ">";
  const auto as_host = bundle::parse_notation(bracketed);
  if (plain && as_host.kind == NotationKind::kMembers && as_host.count == 1) return bracketed;
  std::string why = plain ? fault_of(as_host, {}) : fault_of(notation, value.text);
  if (plain && as_host.count > 1) why = "the brackets are missing";
  report.add(value.place, "bad notation " + in_quotes(value.text) + ": " + why +
                              "; expected one such as '<db1.example,10.0.0.5>'");
  return {};
}

// One host's name or address, as a member of a notation.
bool check_host(const Value& item, Report& report) {
  const auto notation = bundle::parse_notation("<" + item.text + ">");
  if (notation.kind == NotationKind::kMembers && notation.count == 1) return true;
  std::string message = "bad host " + in_quotes(item.text);
  if (notation.count == 0) message += ": " + fault_of(notation, {});
  report.add(item.place, message + "; expected the name or the address of one host");
  return false;
}

std::string read_hosts(const Value& value, Report& report) {
  constexpr std::string_view kExpected = "the name or the address of a host";
  if (value.kind == Kind::kText) return read_notation(value, report);
  const auto items = read_one_or_list(value, kExpected, report);
  std::string notation;
  std::set<std::string> seen;
  for (const Value* item : items) {
    if (!read_text(*item, kExpected, report) || !check_host(*item, report)) continue;
    if (!seen.insert(lowered(item->text)).second) {
      report.add(item->place, in_quotes(item->text) + " is in the list already");
    } else if (seen.size() == bundle::kMostMembers + 1) {
      report.add(item->place, "more than " + std::to_string(bundle::kMostMembers) +
                                  " hosts, the most that a bundle can have");
    }
    notation += (notation.empty() ? "<" : ",") + item->text;
  }
  if (!notation.empty()) notation += ">";
  if (notation.size() > bundle::kMostNotation && seen.size() <= bundle::kMostMembers) {
    report.add(value.place, "the names of the hosts have more than " +
                                std::to_string(bundle::kMostNotation) + " bytes together");
  }
  return notation;
}

// Whether no other bundle has the name, in whatever case.
bool take_name(const std::string& name, const Value& value, Draft& draft, Report& report) {
  const auto [first, is_new] = draft.bundles.emplace(name, report.at(value.place));
  if (!is_new) {
    report.add(value.place, in_quotes(name) + " is already a bundle at " + first->second.file +
                                ":" + std::to_string(first->second.line));
  }
  return is_new;
}

std::string bad_alias(const std::string& name) {
  if (bundle::address_from_text(name)) return "an address; expected the name of a host";
  if (name.ends_with(plan::kBundleSuffix)) return "the name of a bundle; expected one of a host";
  if (name == kAnyAlias) return "no list's item; expected 'alias: any' alone";
  if (!bundle::valid_host_name(name) || bundle::ends_in_number(name) ||
      bundle::parse_notation(name).kind != NotationKind::kNone) {
    return "not the name of a host";
  }
  return {};
}

void read_alias(const Value& value, BundleDefinition& bundle, Draft& draft, Report& report) {
  constexpr std::string_view kExpected = "the name of a host, or any";
  if (value.kind == Kind::kText && value.text == kAnyAlias) {
    bundle.any = true;
    if (draft.any_bundle) {
      report.add(value.place, "'alias: any' is already said at " + draft.any_bundle->file + ":" +
                                  std::to_string(draft.any_bundle->line));
    } else {
      draft.any_bundle = report.at(value.place);
    }
    return;
  }
  for (const Value* item : read_one_or_list(value, kExpected, report)) {
    if (!read_text(*item, kExpected, report)) continue;
    std::string name = lowered(item->text);
    if (name.ends_with('.')) name.pop_back();
    if (const std::string bad = bad_alias(name); !bad.empty()) {
      report.add(item->place, "alias " + in_quotes(item->text) + " is " + bad);
    } else if (take_name(name, *item, draft, report)) {
      bundle.aliases.push_back(std::move(name));
    }
  }
}

void check_name(const Value& key, Report& report) {
  const std::string name = key.text + plan::kBundleSuffix;
  const auto notation = bundle::parse_notation(name);
  if (notation.kind == NotationKind::kPolicyName) return;
  report.add(key.place, "bad bundle name " + in_quotes(key.text) + "; " +
                            (notation.kind == NotationKind::kMembers
                                 ? in_quotes(name) + " says by itself which hosts it means"
                                 : "expected one such as a host has"));
}

void check_completeness(const Map& map, const BundleDefinition& bundle, const Value& key,
                        Report& report) {
  if (map.size() == 0 && !map.is_broken()) {
    report.add(key.place,
               "bundle " + in_quotes(key.text) + " says nothing; expected " + quoted(kKeys));
  }
  if (bundle.any && map.get("hosts") != nullptr) {
    report.add(map.key_of("hosts")->place,
               "'hosts' beside 'alias: any'; every name stands for its own addresses");
  }
}

void read_bundle_of(const KeyValue& item, Draft& draft, Report& report) {
  const Value& key = *item.key;
  BundleDefinition bundle;
  bundle.name = key.text;
  bundle.position = report.at(key.place);
  check_name(key, report);
  const bool is_new = take_name(lowered(key.text) + plan::kBundleSuffix, key, draft, report);
  const Map map = Map::read(*item.value, "a map with " + quoted(kKeys), kKeys, report);
  if (const Value* hosts = map.get("hosts")) bundle.notation = read_hosts(*hosts, report);
  if (const Value* alias = map.get("alias")) read_alias(*alias, bundle, draft, report);
  check_completeness(map, bundle, key, report);
  if (is_new) draft.policy.bundles.push_back(std::move(bundle));
}

}  // namespace

void read_bundles(const Value& section, Draft& draft, Report& report) {
  for (const KeyValue& item : read_named(section, "a map of names of bundles", report)) {
    read_bundle_of(item, draft, report);
  }
}

}  // namespace px::broker
