// SPDX-License-Identifier: MIT
// `match` of a profile: the programs that get it without asking. Where several profiles match a
// program, the most precise match decides: an executable's own path before a pattern before none;
// of two patterns, the one with the longer literal beginning; among equals, more keys before fewer.
// Values and pure functions.
#pragma once

#include <sys/types.h>

#include <compare>
#include <cstddef>
#include <optional>
#include <string>

#include "broker/config/path_glob.h"
#include "broker/config/position.h"

namespace px::broker {

struct Policy;
struct Profile;

// Who a program is.
struct Program {
  std::string executable;  // an absolute path; empty where it cannot be told
  uid_t uid = 0;
  std::string cgroup;  // of the v2 hierarchy; empty where it cannot be told
};

// One item of `match`: all given keys must hold.
struct Match {
  std::string executable;  // as written; empty: any
  std::optional<PathGlob> executable_glob;
  std::optional<uid_t> user;
  std::optional<PathGlob> cgroup;
  std::size_t cgroup_literal = 0;  // bytes before the first wildcard; without one, SIZE_MAX
  Position position;

  [[nodiscard]] bool holds(const Program& program) const;
  // Greater: this one is more precise.
  [[nodiscard]] std::strong_ordering compare_precision(const Match& other) const;
  // Whether there can be a program for which both hold.
  [[nodiscard]] bool overlaps(const Match& other) const;
};

// The profile whose match holds most precisely; null for none.
[[nodiscard]] const Profile* best_match(const Policy& policy, const Program& program);

}  // namespace px::broker
