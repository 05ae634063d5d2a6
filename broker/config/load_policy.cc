// SPDX-License-Identifier: MIT
#include <algorithm>
#include <system_error>

#include "broker/config/draft.h"
#include "broker/config/policy_text.h"

namespace px::broker {
namespace {

void complain(const std::filesystem::path& file, const std::string& message, Draft& draft) {
  draft.diagnostics.push_back({{file.string(), 0, 0}, message});
  draft.incomplete = true;
}

void load_file(const std::filesystem::path& file, FileRole role, Draft& draft) {
  const auto text = read_file(file);
  if (text) {
    read_policy_text(*text, file.string(), role, draft);
    return;
  }
  draft.policy.files.push_back(file.string());
  complain(file, text.error().message, draft);
}

// As the shell's *.yaml: without hidden files, such as editors leave while they are at work.
bool is_part(const std::filesystem::path& file) {
  return file.extension() == ".yaml" && !file.filename().string().starts_with('.');
}

std::vector<std::filesystem::path> parts(const std::filesystem::path& directory, Draft& draft) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  while (!error && entry != std::filesystem::directory_iterator()) {
    if (is_part(entry->path())) files.push_back(entry->path());
    entry.increment(error);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    complain(directory, "cannot list: " + error.message(), draft);
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

PolicyResult load_policy(const std::filesystem::path& main_file) {
  Draft draft;
  load_file(main_file, FileRole::kMain, draft);
  for (const auto& file : parts(main_file.parent_path() / "conf.d", draft)) {
    load_file(file, FileRole::kPart, draft);
  }
  return finish(std::move(draft));
}

PolicyResult parse_policy(std::string_view text, const std::string& name) {
  Draft draft;
  read_policy_text(text, name, FileRole::kMain, draft);
  return finish(std::move(draft));
}

}  // namespace px::broker
