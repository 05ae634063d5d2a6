// SPDX-License-Identifier: MIT
// Patterns of paths, as `match` takes them: `*` any text within one component, `?` one character of
// it, `**` any text, slashes included; `/**/` also stands for a single slash. All else is itself. A
// value; matching takes time in proportion to pattern times text.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace px::broker {

class PathGlob {
 public:
  explicit PathGlob(std::string_view pattern);

  [[nodiscard]] bool matches(std::string_view text) const;
  // Whether there is a text that both match.
  [[nodiscard]] bool overlaps(const PathGlob& other) const;

  // Whether the text has a character that means something in a pattern.
  [[nodiscard]] static bool is_pattern(std::string_view text);
  // How many bytes stand before the first such character: all, where there is none.
  [[nodiscard]] static std::size_t literal_length(std::string_view text);

 private:
  // What a step of the automaton takes.
  enum class Takes : char { kNothing, kOne, kInComponent, kAny };
  struct Step {
    Takes takes;
    char one;  // kOne
    std::size_t to;
  };
  void add(std::size_t from, Takes takes, std::size_t to, char one = 0);
  [[nodiscard]] static bool takes(const Step& step, char c);
  // The text that both take in these steps, if there is one.
  [[nodiscard]] static bool together(const Step& a, const Step& b);

  // State n's steps, of which those that take nothing lead to a later state; the last state is the
  // end, where the text has been matched.
  std::vector<std::vector<Step>> states_ = std::vector<std::vector<Step>>(1);
};

}  // namespace px::broker
