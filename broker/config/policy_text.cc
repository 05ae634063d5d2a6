// SPDX-License-Identifier: MIT
#include "broker/config/policy_text.h"

#include <fcntl.h>
#include <unistd.h>

#include "broker/config/broker_section.h"
#include "broker/config/bundles_section.h"
#include "broker/config/paths_section.h"
#include "broker/config/profiles_section.h"
#include "broker/config/yaml_precheck.h"
#include "util/fd.h"

namespace px::broker {
namespace {

constexpr Key kKeys[] = {{"version"},  {"paths"},           {"bundles"},
                         {"profiles"}, {"default-profile"}, {"broker"}};

void read_default_profile(const Value& value, Place key, Draft& draft, Report& report) {
  const auto text = read_text(value, "the name of a profile, or none", report);
  if (draft.default_profile) {
    const Position& first = draft.default_profile->position;
    report.add(key, "'default-profile' is already set at " + first.file + ":" +
                        std::to_string(first.line));
  } else if (text) {
    draft.default_profile = Reference{std::string(*text), report.at(value.place)};
  }
}

void read_sections(const Value& root, FileRole role, Draft& draft, Report& report) {
  if (root.kind != Kind::kMap) draft.incomplete = true;
  const Map map = Map::read(root, "a map with 'version', 'paths' and 'profiles'", kKeys, report);
  if (const Value* version = map.get("version")) {
    read_version(*version, report);
  } else if (role == FileRole::kMain && root.kind == Kind::kMap && map.lacks("version")) {
    report.add(root.place, "no version; expected 'version: 1'");
  }
  if (const Value* section = map.get("paths")) read_paths(*section, draft, report);
  if (const Value* section = map.get("bundles")) read_bundles(*section, draft, report);
  if (const Value* section = map.get("profiles")) read_profiles(*section, draft, report);
  if (const Value* value = map.get("default-profile")) {
    read_default_profile(*value, map.key_of("default-profile")->place, draft, report);
  }
  if (const Value* section = map.get("broker")) read_broker(*section, draft, report);
  for (const std::string_view key : {"paths", "profiles"}) {
    if (map.get(key) == nullptr && !map.lacks(key)) draft.incomplete = true;
  }
}

}  // namespace

void read_policy_text(std::string_view text, const std::string& file, FileRole role, Draft& draft) {
  draft.policy.files.push_back(file);
  Report report(file, draft.diagnostics);
  const auto document = Document::parse(text);
  if (!document) {
    report.add(document.error().place, document.error().message);
    draft.incomplete = true;
    return;
  }
  const Value* root = document->root();
  if (root == nullptr || root->kind == Kind::kNothing) {
    if (role == FileRole::kMain)
      report.add({}, "the file is empty; expected at least 'version: 1'");
    return;
  }
  read_sections(*root, role, draft, report);
}

void read_version(const Value& value, Report& report) {
  const auto text = read_text(value, "1", report);
  if (text && *text != "1") {
    report.add(value.place, "version " + in_quotes(*text) + " is not supported; expected 1");
  }
}

Expected<std::string> read_file(const std::filesystem::path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno("cannot open");
  std::string text;
  std::size_t length = 0;
  while (length <= kLargestText) {
    text.resize(length + (std::size_t{64} << 10));
    const ssize_t count = ::read(fd.get(), text.data() + length, text.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("cannot read");
    if (count == 0) break;
    length += static_cast<std::size_t>(count);
  }
  text.resize(length);
  return text;
}

}  // namespace px::broker
