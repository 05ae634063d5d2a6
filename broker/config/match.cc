// SPDX-License-Identifier: MIT
#include "broker/config/match.h"

#include <tuple>

#include "broker/config/policy.h"

namespace px::broker {
namespace {

bool holds_for(const std::optional<PathGlob>& glob, const std::string& text) {
  return !glob || (!text.empty() && glob->matches(text));
}

bool overlap(const std::optional<PathGlob>& a, const std::optional<PathGlob>& b) {
  return !a || !b || a->overlaps(*b);
}

// The executable: its own path, a pattern, none; the pattern's literal beginning; how many keys.
std::tuple<int, std::size_t, int> precision_of(const Match& match) {
  const bool is_pattern = PathGlob::is_pattern(match.executable);
  const int file = match.executable.empty() ? 0 : is_pattern ? 1 : 2;
  const int keys = (file != 0) + match.user.has_value() + match.cgroup.has_value();
  return {file, is_pattern ? PathGlob::literal_length(match.executable) : 0, keys};
}

}  // namespace

bool Match::holds(const Program& program) const {
  if (user && *user != program.uid) return false;
  const bool is_pattern = PathGlob::is_pattern(executable);
  if (!is_pattern && !executable.empty() && executable != program.executable) return false;
  if (is_pattern && !holds_for(executable_glob, program.executable)) return false;
  return holds_for(cgroup, program.cgroup);
}

// Whoever says nothing of cgroups is no less precise for that.
std::strong_ordering Match::compare_precision(const Match& other) const {
  const auto own = precision_of(*this) <=> precision_of(other);
  if (own != 0 || !cgroup || !other.cgroup) return own;
  return cgroup_literal <=> other.cgroup_literal;
}

bool Match::overlaps(const Match& other) const {
  if (user && other.user && *user != *other.user) return false;
  return overlap(executable_glob, other.executable_glob) && overlap(cgroup, other.cgroup);
}

const Profile* best_match(const Policy& policy, const Program& program) {
  const Profile* best = nullptr;
  const Match* best_match = nullptr;
  for (const Profile& profile : policy.profiles) {
    for (const Match& match : profile.matches) {
      if (best_match != nullptr && match.compare_precision(*best_match) <= 0) continue;
      if (!match.holds(program)) continue;
      best = &profile;
      best_match = &match;
    }
  }
  return best;
}

}  // namespace px::broker
