// SPDX-License-Identifier: MIT
#include "broker/config/match.h"

#include "broker/config/policy.h"

namespace px::broker {
namespace {

bool holds_for(const std::optional<PathGlob>& glob, const std::string& text) {
  return !glob || (!text.empty() && glob->matches(text));
}

bool overlap(const std::optional<PathGlob>& a, const std::optional<PathGlob>& b) {
  return !a || !b || a->overlaps(*b);
}

}  // namespace

bool Match::holds(const Program& program) const {
  if (user && *user != program.uid) return false;
  const bool is_pattern = PathGlob::is_pattern(executable);
  if (!is_pattern && !executable.empty() && executable != program.executable) return false;
  if (is_pattern && !holds_for(executable_glob, program.executable)) return false;
  return holds_for(cgroup, program.cgroup);
}

std::pair<int, int> Match::precision() const {
  const int file = executable.empty() ? 0 : PathGlob::is_pattern(executable) ? 1 : 2;
  return {file, (file != 0) + user.has_value() + cgroup.has_value()};
}

bool Match::overlaps(const Match& other) const {
  if (user && other.user && *user != *other.user) return false;
  return overlap(executable_glob, other.executable_glob) && overlap(cgroup, other.cgroup);
}

const Profile* best_match(const Policy& policy, const Program& program) {
  const Profile* best = nullptr;
  std::pair<int, int> precision;
  for (const Profile& profile : policy.profiles) {
    for (const Match& match : profile.matches) {
      if (best != nullptr && match.precision() <= precision) continue;
      if (!match.holds(program)) continue;
      best = &profile;
      precision = match.precision();
    }
  }
  return best;
}

}  // namespace px::broker
