// SPDX-License-Identifier: MIT
#include "broker/config/draft.h"
#include "broker/config/paths_section.h"
#include "broker/config/policy_text.h"
#include "broker/config/profiles_section.h"

namespace px::broker {
namespace {

std::vector<Key> rules_file_keys() {
  const auto profile = profile_keys();
  std::vector<Key> keys(profile.begin(), profile.end());
  // The profile is for the program that px-exec starts.
  std::erase_if(keys, [](const Key& key) { return key.name == "match"; });
  keys.insert(keys.end(), {{"paths"}, {"version"}});
  return keys;
}

// All of the policy but its profiles and, until the file's own are known, its paths.
Policy without_profiles(const Policy& base) {
  Policy policy = base;
  policy.paths.clear();
  policy.profiles.clear();
  policy.default_profile.reset();
  policy.warnings.clear();
  return policy;
}

// The file's own paths come before the policy's of the same name.
void add_base_paths(const Policy& base, Draft& draft) {
  for (const PathSelector& path : base.paths) {
    if (draft.paths.emplace(path.name, path.position).second) draft.policy.paths.push_back(path);
  }
}

void add_looked_up_paths(const ViaLookup& look_up, Draft& draft) {
  for (const Reference& reference : draft.via) {
    if (!draft.paths.emplace(reference.name, reference.position).second) continue;
    auto path = look_up(reference.name, draft.policy);
    if (!path) {
      draft.diagnostics.push_back({reference.position, path.error()});
      continue;
    }
    path->name = reference.name;
    path->position = path->gateway_position = reference.position;
    draft.policy.paths.push_back(std::move(*path));
  }
}

void read_rules_file(const Value& root, const std::string& profile_name, Draft& draft,
                     Report& report) {
  const Map map = Map::read(root, "a map with 'rules'", rules_file_keys(), report);
  if (const Value* version = map.get("version")) read_version(*version, report);
  if (const Value* section = map.get("paths")) read_paths(*section, draft, report);
  Profile profile = read_profile(map, draft, report);
  if (root.kind == Kind::kMap && map.lacks("rules")) {
    report.add(root.place, "no rules; expected 'rules:' and a list");
  }
  profile.name = profile_name;
  profile.position = report.at(root.place);
  draft.policy.profiles.push_back(std::move(profile));
}

}  // namespace

PolicyResult load_rules(const std::filesystem::path& file, const std::string& profile_name,
                        const Policy& base, const ViaLookup& look_up) {
  Draft draft;
  draft.policy = without_profiles(base);
  draft.policy.files.push_back(file.string());
  Report report(file.string(), draft.diagnostics);
  const auto text = read_file(file);
  const auto document =
      text ? Document::parse(*text) : tl::make_unexpected(Problem{{}, text.error().message});
  if (!document) {
    report.add(document.error().place, document.error().message);
  } else if (document->root() == nullptr || document->root()->kind == Kind::kNothing) {
    report.add({}, "the file is empty; expected 'rules:' and a list");
  } else {
    read_rules_file(*document->root(), profile_name, draft, report);
    add_base_paths(base, draft);
    add_looked_up_paths(look_up, draft);
  }
  return finish(std::move(draft));
}

}  // namespace px::broker
