// SPDX-License-Identifier: MIT
// Typed access to the values of a document. A value of another kind than the caller asks for is
// reported, with its place and the kind expected, and then counts as absent. Results point into the
// document, which must outlive them; not for concurrent use on one report.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "broker/config/report.h"
#include "broker/config/suggestion.h"

namespace px::broker {

// A key that a map can have.
struct Key {
  std::string_view name;
};

// "'a', 'b' or 'c'", for messages.
[[nodiscard]] std::string quoted(std::span<const Key> keys);

struct KeyValue {
  const Value* key;
  const Value* value;
};

// A map's values by key. Unknown and duplicate keys are reported, as is anything but a map; nothing
// at all stands for an empty map.
class Map {
 public:
  [[nodiscard]] static Map read(const Value& value, std::string_view expected,
                                std::span<const Key> keys, Report& report);

  [[nodiscard]] const Value* get(std::string_view key) const;
  [[nodiscard]] const Value* key_of(std::string_view key) const;
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  // Neither there nor, as far as one can guess, misspelt.
  [[nodiscard]] bool lacks(std::string_view key) const;
  // Whether it is no map, or some of its keys were reported.
  [[nodiscard]] bool is_broken() const { return broken_; }

 private:
  std::vector<KeyValue> items_;
  std::vector<std::string_view> misspelt_;
  bool broken_ = false;
};

// A map whose keys are names that the user chose; duplicates are reported and left out.
[[nodiscard]] std::vector<KeyValue> read_named(const Value& value, std::string_view expected,
                                               Report& report);

// A single value's text. `expected` says what, for people.
[[nodiscard]] std::optional<std::string_view> read_text(const Value& value,
                                                        std::string_view expected, Report& report);

// The items of a list; an empty list is allowed, as is nothing at all.
[[nodiscard]] std::vector<const Value*> read_list(const Value& value, std::string_view expected,
                                                  Report& report);

// The items of a list that must not be empty, or the single value that stands for a list of one.
[[nodiscard]] std::vector<const Value*> read_one_or_list(const Value& value,
                                                         std::string_view expected, Report& report);

template <typename Meaning>
using Choice = std::pair<std::string_view, Meaning>;

// The meaning of a single value that must be one of several words.
template <typename Meaning>
[[nodiscard]] std::optional<Meaning> read_choice(const Value& value,
                                                 std::span<const Choice<Meaning>> choices,
                                                 Report& report) {
  std::vector<std::string_view> words;
  for (const auto& [word, meaning] : choices) words.push_back(word);
  const auto text = read_text(value, enumerated(words), report);
  if (!text) return std::nullopt;
  for (const auto& [word, meaning] : choices) {
    if (*text == word) return meaning;
  }
  report.add(value.place, "unknown value " + in_quotes(*text) + hint(*text, words));
  return std::nullopt;
}

// The meaning of a key's word. Where the key is absent, or its word is none of these, `meaning`
// keeps what it has: the default.
template <typename Meaning>
void read_choice(const Map& map, std::string_view key,
                 std::type_identity_t<std::span<const Choice<Meaning>>> choices, Meaning& meaning,
                 Report& report) {
  const Value* value = map.get(key);
  if (value == nullptr) return;
  meaning = read_choice<Meaning>(*value, choices, report).value_or(meaning);
}

}  // namespace px::broker
