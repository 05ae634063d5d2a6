// SPDX-License-Identifier: MIT
#include "broker/config/match_reader.h"

#include <pwd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <cstdint>

namespace px::broker {
namespace {

constexpr Key kKeys[] = {{"exe"}, {"user"}, {"cgroup"}};

std::optional<uid_t> user_id(std::string_view text) {
  uid_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const std::string name(text);
  if (getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0) found = nullptr;
  return found == nullptr ? std::nullopt : std::optional(found->pw_uid);
}

// A path or a pattern of paths; empty where it was complained of.
std::string read_path(const Value& value, std::string_view what, Report& report) {
  const auto text = read_text(value, what, report);
  if (!text) return {};
  if (text->size() >= PATH_MAX) {
    report.add(value.place, "longer than any path; expected " + std::string(what));
    return {};
  }
  if (text->starts_with('/')) return std::string(*text);
  report.add(value.place,
             in_quotes(*text) + " does not begin with '/'; expected " + std::string(what));
  return {};
}

Match read_match(const Value& item, Report& report) {
  const Map map = Map::read(item, "a map with " + quoted(kKeys), kKeys, report);
  Match match;
  if (map.size() == 0 && !map.is_broken()) {
    report.add(item.place, "a match of nothing; expected " + quoted(kKeys));
  }
  if (const Value* exe = map.get("exe")) {
    match.executable = read_path(*exe, "the absolute path of a program, or a pattern", report);
    if (!match.executable.empty()) match.executable_glob = PathGlob(match.executable);
  }
  if (const Value* user = map.get("user")) {
    const auto text = read_text(*user, "a user's name or number", report);
    if (text) match.user = user_id(*text);
    if (text && !match.user) {
      report.add(user->place, "unknown user " + in_quotes(*text) +
                                  "; expected a name that this host knows, or a number");
    }
  }
  if (const Value* cgroup = map.get("cgroup")) {
    const auto text = read_path(*cgroup, "the path of a cgroup, or a pattern", report);
    if (!text.empty()) match.cgroup = PathGlob(text);
    match.cgroup_literal = PathGlob::is_pattern(text) ? PathGlob::literal_length(text) : SIZE_MAX;
  }
  match.position = report.at(item.place);
  return match;
}

struct Claim {
  const Profile* profile;
  const Match* match;
};

const Claim* rival(const std::vector<Claim>& earlier, const Claim& claim) {
  const auto found = std::find_if(earlier.begin(), earlier.end(), [&](const Claim& other) {
    return other.profile != claim.profile && other.match->compare_precision(*claim.match) == 0 &&
           other.match->overlaps(*claim.match);
  });
  return found == earlier.end() ? nullptr : &*found;
}

}  // namespace

std::vector<Match> read_matches(const Value& list, Report& report) {
  std::vector<Match> matches;
  for (const Value* item : read_list(list, "a list of maps with " + quoted(kKeys), report)) {
    matches.push_back(read_match(*item, report));
  }
  return matches;
}

void judge_matches(Draft& draft) {
  std::vector<Claim> claims;
  for (const Profile& profile : draft.policy.profiles) {
    for (const Match& match : profile.matches) {
      const Claim claim{&profile, &match};
      if (const Claim* other = rival(claims, claim)) {
        const Position& place = other->match->position;
        draft.diagnostics.push_back(
            {match.position, "this match and the one of profile '" + other->profile->name +
                                 "' at " + place.file + ":" + std::to_string(place.line) +
                                 " can claim the same program with equal precision; make one of "
                                 "them more precise, or the two disjoint"});
      }
      claims.push_back(claim);
    }
  }
}

}  // namespace px::broker
