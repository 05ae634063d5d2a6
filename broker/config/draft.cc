// SPDX-License-Identifier: MIT
#include "broker/config/draft.h"

#include <algorithm>
#include <tuple>

#include "broker/config/match_reader.h"
#include "broker/config/suggestion.h"
#include "plan/wire.h"

namespace px::broker {
namespace {

std::string place_text(const Position& position) {
  return position.file + ":" + std::to_string(position.line);
}

std::string unknown(const std::string& what, const std::string& name,
                    const Definitions& definitions) {
  std::vector<std::string_view> words;
  for (const auto& [word, position] : definitions) {
    // Others were reported, and are not even fit to be printed.
    if (plan::valid_profile_name(word)) words.push_back(word);
  }
  if (words.empty()) return "unknown " + what + " " + in_quotes(name) + "; none is defined";
  return "unknown " + what + " " + in_quotes(name) + hint(name, words);
}

void judge_references(Draft& draft) {
  std::map<std::string_view, std::string> messages;  // one search for each misspelt name
  for (const Reference& reference : draft.via) {
    if (draft.paths.contains(reference.name)) continue;
    std::string& message = messages[reference.name];
    if (message.empty()) message = unknown("path", reference.name, draft.paths);
    draft.diagnostics.push_back({reference.position, message});
  }
  const auto& profile = draft.default_profile;
  if (!profile || profile->name == kNoProfile) return;
  if (!draft.profiles.contains(profile->name)) {
    draft.diagnostics.push_back(
        {profile->position, unknown("profile", profile->name, draft.profiles)});
  }
  draft.policy.default_profile = profile->name;
}

// By file in the order of reading, then by line and column; what an alias repeats is said once.
void sort(std::vector<Diagnostic>& diagnostics, const std::vector<std::string>& files) {
  const auto key = [&](const Diagnostic& diagnostic) {
    const Position& position = diagnostic.position;
    return std::make_tuple(std::find(files.begin(), files.end(), position.file), position.line,
                           position.column);
  };
  std::stable_sort(diagnostics.begin(), diagnostics.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return key(a) < key(b); });
  const auto same = [&](const Diagnostic& a, const Diagnostic& b) {
    return key(a) == key(b) && a.message == b.message;
  };
  diagnostics.erase(std::unique(diagnostics.begin(), diagnostics.end(), same), diagnostics.end());
}

}  // namespace

bool define(Definitions& definitions, const std::string& what, const Value& name, Report& report) {
  const auto [first, is_new] = definitions.emplace(name.text, report.at(name.place));
  if (!is_new) {
    report.add(name.place, what + " " + in_quotes(name.text) + " is already defined at " +
                               place_text(first->second));
  }
  return is_new;
}

PolicyResult finish(Draft draft) {
  if (!draft.incomplete) judge_references(draft);
  judge_matches(draft);
  if (draft.diagnostics.empty()) {
    sort(draft.policy.warnings, draft.policy.files);
    return std::move(draft.policy);
  }
  sort(draft.diagnostics, draft.policy.files);
  return tl::make_unexpected(std::move(draft.diagnostics));
}

}  // namespace px::broker
