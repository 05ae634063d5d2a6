// SPDX-License-Identifier: MIT
#include "broker/config/path_glob.h"

#include <set>
#include <utility>

namespace px::broker {

PathGlob::PathGlob(std::string_view pattern) {
  while (!pattern.empty()) {
    const std::size_t here = states_.size() - 1;
    const bool in_component = !pattern.starts_with("**");
    if (pattern.starts_with("/**/")) {
      // A slash, and any number of whole components with theirs.
      add(here, Takes::kOne, here + 1, '/');
      add(here + 1, Takes::kNothing, here + 3);
      add(here + 1, Takes::kAny, here + 2);
      add(here + 2, Takes::kAny, here + 2);
      add(here + 2, Takes::kOne, here + 3, '/');
      pattern.remove_prefix(4);
    } else if (pattern.front() == '*') {
      add(here, in_component ? Takes::kInComponent : Takes::kAny, here);
      add(here, Takes::kNothing, here + 1);
      pattern.remove_prefix(in_component ? 1 : 2);
    } else if (pattern.front() == '?') {
      add(here, Takes::kInComponent, here + 1);
      pattern.remove_prefix(1);
    } else {
      add_text(pattern.substr(0, 1));
      pattern.remove_prefix(1);
    }
  }
}

PathGlob PathGlob::exactly(std::string_view text) {
  PathGlob glob;
  glob.add_text(text);
  return glob;
}

bool PathGlob::is_pattern(std::string_view text) {
  return text.find_first_of("*?") != std::string_view::npos;
}

bool PathGlob::matches(std::string_view text) const {
  return overlaps(exactly(text));
}

void PathGlob::add(std::size_t from, Takes takes, std::size_t to, char one) {
  if (states_.size() <= to) states_.resize(to + 1);
  states_[from].push_back({takes, one, to});
}

void PathGlob::add_text(std::string_view text) {
  for (const char c : text) add(states_.size() - 1, Takes::kOne, states_.size(), c);
}

bool PathGlob::together(const Step& a, const Step& b) {
  if (a.takes == Takes::kNothing || b.takes == Takes::kNothing) return false;
  if (a.takes == Takes::kOne && b.takes == Takes::kOne) return a.one == b.one;
  const auto allows = [](Takes takes, const Step& other) {
    return takes != Takes::kInComponent || other.takes != Takes::kOne || other.one != '/';
  };
  return allows(a.takes, b) && allows(b.takes, a);
}

// Walks both automata at once, over every pair of states that some text leads to.
bool PathGlob::overlaps(const PathGlob& other) const {
  using Pair = std::pair<std::size_t, std::size_t>;
  std::set<Pair> seen = {{0, 0}};
  std::vector<Pair> open = {{0, 0}};
  const auto visit = [&](std::size_t a, std::size_t b) {
    if (seen.emplace(a, b).second) open.emplace_back(a, b);
  };
  while (!open.empty()) {
    const auto [a, b] = open.back();
    open.pop_back();
    if (a + 1 == states_.size() && b + 1 == other.states_.size()) return true;
    for (const Step& step : states_[a]) {
      if (step.takes == Takes::kNothing) visit(step.to, b);
      for (const Step& with : other.states_[b]) {
        if (together(step, with)) visit(step.to, with.to);
      }
    }
    for (const Step& step : other.states_[b]) {
      if (step.takes == Takes::kNothing) visit(a, step.to);
    }
  }
  return false;
}

}  // namespace px::broker
