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

// Takes what has a usable key. False where a key was not usable, or the value is no map.
bool collect(const Value& value, std::string_view expected, Report& report,
             std::vector<KeyValue>& items) {
  if (value.kind == Kind::kNothing) return true;
  if (value.kind != Kind::kMap) {
    report_kind(value, expected, report);
    return false;
  }
  std::unordered_map<std::string_view, Place> seen;
  for (std::size_t i = 0; i + 1 < value.children.size(); i += 2) {
    const KeyValue item{value.children[i], value.children[i + 1]};
    if (!read_text(*item.key, "a key", report)) continue;
    const auto [first, is_new] = seen.emplace(item.key->text, item.key->place);
    if (is_new) {
      items.push_back(item);
    } else {
      report.add(item.key->place, "duplicate key " + in_quotes(item.key->text) +
                                      "; the first is on line " +
                                      std::to_string(first->second.line));
    }
  }
  return 2 * items.size() == value.children.size();
}

}  // namespace

std::string quoted(std::span<const Key> keys) {
  std::vector<std::string> words;
  for (const Key& key : keys) words.push_back(in_quotes(key.name));
  return enumerated(std::vector<std::string_view>(words.begin(), words.end()));
}

Map Map::read(const Value& value, std::string_view expected, std::span<const Key> keys,
              Report& report) {
  Map map;
  std::vector<KeyValue> items;
  map.broken_ = !collect(value, expected, report, items);
  for (const KeyValue& item : items) {
    const std::string& name = item.key->text;
    const auto key =
        std::find_if(keys.begin(), keys.end(), [&](const Key& each) { return each.name == name; });
    if (key != keys.end()) {
      map.items_.push_back(item);
      continue;
    }
    map.broken_ = true;
    std::vector<std::string_view> words;
    for (const Key& each : keys) words.push_back(each.name);
    if (const auto meant = closest(name, words)) {
      map.misspelt_.push_back(*meant);
    }
    report.add(item.key->place, "unknown key " + in_quotes(name) + hint(name, words));
  }
  return map;
}

const Value* Map::get(std::string_view key) const {
  for (const KeyValue& item : items_) {
    if (item.key->text == key) return item.value;
  }
  return nullptr;
}

bool Map::lacks(std::string_view key) const {
  return get(key) == nullptr &&
         std::find(misspelt_.begin(), misspelt_.end(), key) == misspelt_.end();
}

const Value* Map::key_of(std::string_view key) const {
  for (const KeyValue& item : items_) {
    if (item.key->text == key) return item.key;
  }
  return nullptr;
}

std::vector<KeyValue> read_named(const Value& value, std::string_view expected, Report& report) {
  std::vector<KeyValue> items;
  collect(value, expected, report, items);
  return items;
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
