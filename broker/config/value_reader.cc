// SPDX-License-Identifier: MIT
#include "broker/config/value_reader.h"

#include <algorithm>
#include <unordered_map>

namespace px::broker {
namespace {

void report_kind(const Value& value, std::string_view expected, Report& report) {
  report.add(value.place,
             "expected " + std::string(expected) + ", found " + std::string(kind_name(value.kind)));
}

// The members that have a usable key. Whether all had one, and the value was a map at all.
bool collect(const Value& value, std::string_view expected, Report& report,
             std::vector<Member>& members) {
  if (value.kind == Kind::kNothing) return true;
  if (value.kind != Kind::kMap) {
    report_kind(value, expected, report);
    return false;
  }
  std::unordered_map<std::string_view, Place> seen;
  for (std::size_t i = 0; i + 1 < value.children.size(); i += 2) {
    const Member member{value.children[i], value.children[i + 1]};
    if (!read_text(*member.key, "a key", report)) continue;
    const auto [first, is_new] = seen.emplace(member.key->text, member.key->place);
    if (is_new) {
      members.push_back(member);
    } else {
      report.add(member.key->place, "duplicate key " + in_quotes(member.key->text) +
                                        "; the first is on line " +
                                        std::to_string(first->second.line));
    }
  }
  return 2 * members.size() == value.children.size();
}

}  // namespace

std::string quoted(std::span<const Key> keys) {
  std::vector<std::string> words;
  for (const Key& key : keys) {
    if (!key.later) words.push_back(in_quotes(key.name));
  }
  return enumerated(std::vector<std::string_view>(words.begin(), words.end()));
}

Map Map::read(const Value& value, std::string_view expected, std::span<const Key> keys,
              Report& report) {
  Map map;
  std::vector<Member> members;
  map.broken_ = !collect(value, expected, report, members);
  for (const Member& member : members) {
    const std::string& name = member.key->text;
    const auto key =
        std::find_if(keys.begin(), keys.end(), [&](const Key& each) { return each.name == name; });
    if (key != keys.end() && !key->later) {
      map.members_.push_back(member);
      continue;
    }
    map.broken_ = true;
    if (key != keys.end()) {
      report.add(member.key->place, "'" + name + "' is not yet supported");
      continue;
    }
    std::vector<std::string_view> words;
    for (const Key& each : keys) words.push_back(each.name);
    if (const auto meant = closest(name, words)) {
      map.misspelt_.push_back(*meant);
    } else {
      words.clear();
      for (const Key& each : keys) {
        if (!each.later) words.push_back(each.name);
      }
    }
    report.add(member.key->place, "unknown key " + in_quotes(name) + hint(name, words));
  }
  return map;
}

const Value* Map::get(std::string_view key) const {
  for (const Member& member : members_) {
    if (member.key->text == key) return member.value;
  }
  return nullptr;
}

bool Map::lacks(std::string_view key) const {
  return get(key) == nullptr &&
         std::find(misspelt_.begin(), misspelt_.end(), key) == misspelt_.end();
}

const Value* Map::key_of(std::string_view key) const {
  for (const Member& member : members_) {
    if (member.key->text == key) return member.key;
  }
  return nullptr;
}

std::vector<Member> read_named(const Value& value, std::string_view expected, Report& report) {
  std::vector<Member> members;
  collect(value, expected, report, members);
  return members;
}

std::optional<std::string_view> read_text(const Value& value, std::string_view expected,
                                          Report& report) {
  if (value.kind == Kind::kText) return value.text;
  report_kind(value, expected, report);
  return std::nullopt;
}

std::vector<const Value*> read_list(const Value& value, std::string_view expected, Report& report) {
  if (value.kind == Kind::kList) return value.children;
  if (value.kind != Kind::kNothing) report_kind(value, expected, report);
  return {};
}

std::vector<const Value*> read_one_or_list(const Value& value, std::string_view expected,
                                           Report& report) {
  if (value.kind == Kind::kText) return {&value};
  if (value.kind != Kind::kList) {
    report_kind(value, std::string(expected) + ", or a list of these", report);
  } else if (value.children.empty()) {
    report.add(value.place, "empty list; expected " + std::string(expected));
  }
  return value.kind == Kind::kList ? value.children : std::vector<const Value*>{};
}

}  // namespace px::broker
