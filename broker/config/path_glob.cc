// SPDX-License-Identifier: MIT
#include "broker/config/path_glob.h"

#include <algorithm>
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
      add(here, Takes::kOne, here + 1, pattern.front());
      pattern.remove_prefix(1);
    }
  }
}

bool PathGlob::is_pattern(std::string_view text) {
  return literal_length(text) != text.size();
}

std::size_t PathGlob::literal_length(std::string_view text) {
  return std::min(text.find_first_of("*?"), text.size());
}

bool PathGlob::matches(std::string_view text) const {
  std::vector<bool> now(states_.size());
  std::vector<bool> next;
  now[0] = true;
  for (std::size_t at = 0;; ++at) {
    next.assign(states_.size(), false);
    bool any = false;
    for (std::size_t state = 0; state < states_.size(); ++state) {
      if (!now[state]) continue;
      for (const Step& step : states_[state]) {
        if (step.takes == Takes::kNothing) now[step.to] = true;
        if (at == text.size() || !takes(step, text[at])) continue;
        next[step.to] = true;
        any = true;
      }
    }
    if (at == text.size()) return now.back();
    if (!any) return false;
    now.swap(next);
  }
}

void PathGlob::add(std::size_t from, Takes takes, std::size_t to, char one) {
  if (states_.size() <= to) states_.resize(to + 1);
  states_[from].push_back({takes, one, to});
}

bool PathGlob::takes(const Step& step, char c) {
  if (step.takes == Takes::kOne) return step.one == c;
  return step.takes == Takes::kAny || (step.takes == Takes::kInComponent && c != '/');
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
  std::vector<bool> seen(states_.size() * other.states_.size());
  std::vector<Pair> open = {{0, 0}};
  const auto visit = [&](std::size_t a, std::size_t b) {
    const std::size_t pair = a * other.states_.size() + b;
    if (!seen[pair]) open.emplace_back(a, b);
    seen[pair] = true;
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
