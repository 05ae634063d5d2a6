// SPDX-License-Identifier: MIT
#include "broker/config/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "broker/config/suggestion.h"
#include "broker/config/yaml_precheck.h"

namespace px::broker {
namespace {

constexpr std::size_t kDeepest = 32;
// Far more than a policy that fits a plan has, and few enough to be read in a second or two.
constexpr std::size_t kMostValues = 1'000'000;

struct Refused {
  Place place;
  std::string message;
};

Place place_of(const YAML::Mark& mark) {
  return mark.is_null() ? Place{} : Place{mark.line + 1, mark.column + 1};
}

// Where a tab indents, yaml-cpp complains about something else further on in that line.
bool is_indented_by_tab(std::string_view text, int line) {
  for (; line > 0; --line) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return text.substr(0, text.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
}

}  // namespace

class DocumentBuilder : public YAML::EventHandler {
 public:
  DocumentBuilder(std::string_view text, Document& document) : text_(text), document_(document) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    // yaml-cpp sees a new document, again and again, where it can make nothing of a character.
    if (started_ && mark.pos == start_)
      throw Refused{place_of(mark), "not valid YAML: unexpected character"};
    if (started_)
      throw Refused{place_of(mark), "another document starts here; expected only one in a file"};
    started_ = true;
    start_ = mark.pos;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Value& value = make(Kind::kNothing, mark, anchor);
    if (!open_.empty()) value.place = place_of_nothing(mark);
    close(value);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    refuse_tag(mark, tag);
    if (tag == "!") last_quoted_ = mark;
    Value& value = make(Kind::kText, mark, anchor);
    value.text = text;
    close(value);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const Value* value = anchored_.at(anchor);
    if (value->size == 0) throw Refused{place_of(mark), "an alias that holds itself"};
    adopt(*value);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    refuse_tag(mark, tag);
    open(Kind::kList, mark, anchor, style);
  }
  void OnSequenceEnd() override { close_open(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    refuse_tag(mark, tag);
    open(Kind::kMap, mark, anchor, style);
  }
  void OnMapEnd() override { close_open(); }

  // At the end of the input yaml-cpp takes a quote for closed that is not. It is then the last.
  [[nodiscard]] std::optional<Problem> unclosed_quote() const {
    if (!last_quoted_) return std::nullopt;
    if (!quote_ends(text_, static_cast<std::size_t>(last_quoted_->pos))) {
      return Problem{place_of(*last_quoted_), "not valid YAML: a quote that is never closed"};
    }
    return std::nullopt;
  }

 private:
  struct Open {
    Value* value;
    bool block;
  };

  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.size() > 1) throw Refused{place_of(mark), "YAML tags are not supported"};
  }

  Value& make(Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    Value& value = document_.values_.emplace_back();
    value.kind = kind;
    value.place = place_of(mark);
    if (anchor != YAML::NullAnchor) {
      if (anchored_.size() <= anchor) anchored_.resize(anchor + 1);
      anchored_[anchor] = &value;
    }
    return value;
  }

  void open(Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style) {
    if (open_.size() == kDeepest) throw Refused{place_of(mark), "nested too deeply"};
    open_.push_back({&make(kind, mark, anchor), style == YAML::EmitterStyle::Block});
  }

  void close_open() {
    Value& value = *open_.back().value;
    open_.pop_back();
    close(value);
  }

  void close(Value& value) {
    value.size = 1;
    for (const Value* child : value.children) value.size += child->size;
    adopt(value);
  }

  void adopt(const Value& value) {
    if (value.size > kMostValues) {
      throw Refused{value.place,
                    "more than " + std::to_string(kMostValues) + " values, with aliases"};
    }
    if (open_.empty()) {
      document_.root_ = &value;
    } else {
      open_.back().value->children.push_back(&value);
    }
  }

  // yaml-cpp places a value that is not there at the next thing that is, which can be lines below.
  [[nodiscard]] Place place_of_nothing(const YAML::Mark& mark) const {
    const Open& around = open_.back();
    const auto& children = around.value->children;
    if (around.value->kind == Kind::kMap) {
      return children.size() % 2 == 1 ? children.back()->place : place_of(mark);
    }
    return around.block ? place_of(mark_of_dash(mark)) : place_of(mark);
  }

  // The list entry's own "-", looking backwards from a place after it.
  [[nodiscard]] YAML::Mark mark_of_dash(YAML::Mark mark) const {
    const std::size_t bom = text_.starts_with("\xef\xbb\xbf") ? 3 : 0;
    std::size_t end = std::min(text_.size(), static_cast<std::size_t>(mark.pos) + bom);
    for (int line = mark.line; line >= 0; --line) {
      const std::size_t newline = end == 0 ? std::string_view::npos : text_.rfind('\n', end - 1);
      const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
      const std::size_t first = text_.find_first_not_of(' ', begin);
      if (first < end && text_[first] == '-') {
        mark.line = line;
        mark.column = static_cast<int>(first - begin);
        return mark;
      }
      if (begin == 0) break;
      end = begin - 1;
    }
    return mark;
  }

  std::string_view text_;
  Document& document_;
  bool started_ = false;
  int start_ = 0;
  std::vector<Open> open_;
  std::vector<const Value*> anchored_;
  std::optional<YAML::Mark> last_quoted_;
};

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::kNothing:
      return "nothing";
    case Kind::kText:
      return "a single value";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      break;
  }
  return "a map";
}

tl::expected<Document, Problem> Document::parse(std::string_view text) {
  if (auto problem = precheck_yaml(text)) return tl::make_unexpected(std::move(*problem));
  Document document;
  DocumentBuilder builder(text, document);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) continue;
  } catch (const Refused& refused) {
    return tl::make_unexpected(Problem{refused.place, refused.message});
  } catch (const YAML::Exception& error) {
    const std::string advice =
        is_indented_by_tab(text, error.mark.line) ? "; indent with spaces, not with tabs" : "";
    return tl::make_unexpected(
        Problem{place_of(error.mark), "not valid YAML: " + printable(error.msg) + advice});
  }
  if (auto problem = builder.unclosed_quote()) return tl::make_unexpected(std::move(*problem));
  return document;
}

}  // namespace px::broker
