// SPDX-License-Identifier: MIT
// A YAML text as a tree of values, each with its place in the text. yaml-cpp's own tree loses
// duplicate keys and the places of keys. It also accepts cycles, expanding aliases, control
// characters and quotes that never end. The values live as long as the Document, which the reader
// of a file owns. Not for concurrent use.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace px::broker {

// Counted from 1, columns in bytes; line 0 means the text as a whole.
struct Place {
  int line = 0;
  int column = 0;
};

struct Problem {
  Place place;
  std::string message;
};

enum class Kind { kNothing, kText, kList, kMap };

struct Value {
  Kind kind = Kind::kNothing;
  Place place;  // of an alias: where its anchor stands
  std::string text;
  std::vector<const Value*> children;  // of a map: key, value, key, value...
  std::size_t size = 0;                // of the whole value, an alias counted as what it stands for
};

// "nothing", "a list"...: for messages.
[[nodiscard]] std::string_view kind_name(Kind kind);

class Document {
 public:
  // A text of at most one YAML document; a Problem for anything else.
  [[nodiscard]] static tl::expected<Document, Problem> parse(std::string_view text);

  // Null for a text without any value.
  [[nodiscard]] const Value* root() const { return root_; }

 private:
  friend class DocumentBuilder;

  std::deque<Value> values_;
  const Value* root_ = nullptr;
};

}  // namespace px::broker
