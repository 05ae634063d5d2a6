// SPDX-License-Identifier: MIT
#include "cli/exec/preload_list.h"

#include <algorithm>
#include <filesystem>
#include <vector>

namespace px::cli {
namespace {

constexpr char kSeparators[] = " :";  // ld.so(8)

bool is_libpx(std::string_view entry) {
  return std::filesystem::path(entry).filename() == "libpx.so";
}

void add(std::vector<std::string>& entries, std::string entry) {
  if (std::find(entries.begin(), entries.end(), entry) == entries.end())
    entries.push_back(std::move(entry));
}

}  // namespace

Expected<std::string> preload_list(std::string_view existing, const std::string& library,
                                   std::span<const std::string> sanitizers) {
  if (library.find_first_of(kSeparators) != std::string::npos) {
    return fail("the path of libpx.so has a space or a colon, which LD_PRELOAD cannot hold (" +
                library + "): install px elsewhere");
  }
  std::vector<std::string> entries(sanitizers.begin(), sanitizers.end());
  while (!existing.empty()) {
    const auto end = std::min(existing.find_first_of(kSeparators), existing.size());
    const std::string_view entry = existing.substr(0, end);
    if (!entry.empty() && !is_libpx(entry)) add(entries, std::string(entry));
    existing.remove_prefix(std::min(end + 1, existing.size()));
  }
  entries.push_back(library);
  std::string list;
  for (const std::string& entry : entries) list += (list.empty() ? "" : ":") + entry;
  return list;
}

}  // namespace px::cli
