// SPDX-License-Identifier: MIT
#include "broker/identity/subordinate_ids.h"

#include <sys/stat.h>

#include <array>
#include <charconv>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace px::broker {
namespace {

constexpr std::size_t kMostLines = 65536;  // of a file, so that none takes long
constexpr std::uint64_t kEndOfIds = std::uint64_t{1} << 32;

std::optional<uid_t> number_in(std::string_view text) {
  uid_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The first three fields of a line; nothing where it has fewer.
std::optional<std::array<std::string_view, 3>> fields_of(std::string_view line) {
  std::array<std::string_view, 3> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto end = line.find(':');
    if (end == std::string_view::npos && i + 1 < fields.size()) return std::nullopt;
    fields[i] = line.substr(0, end);
    line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
  }
  return fields;
}

template <typename Use>
void for_each_line(const std::filesystem::path& file, Use use) {
  std::ifstream stream(file);
  std::string line;
  for (std::size_t i = 0; i < kMostLines && std::getline(stream, line); ++i) {
    if (const auto fields = fields_of(line)) use(*fields);
  }
}

}  // namespace

SubordinateIds::SubordinateIds(std::filesystem::path ranges, std::filesystem::path names)
    : file_(std::move(ranges)), names_(std::move(names)) {
  read();
}

SubordinateIds::Version SubordinateIds::version_of(const std::filesystem::path& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) return {};
  return {status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ino, status.st_size};
}

void SubordinateIds::read() {
  read_ = version_of(file_);
  ranges_.clear();
  if (read_ == Version()) return;
  std::map<std::string, uid_t, std::less<>> users;
  for_each_line(names_, [&](const auto& fields) {
    if (const auto number = number_in(fields[2])) users.emplace(fields[0], *number);
  });
  for_each_line(file_, [&](const auto& fields) {
    const auto first = number_in(fields[1]);
    const auto count = number_in(fields[2]);
    if (!first || !count || *first == 0 || *first + std::uint64_t{*count} > kEndOfIds) return;
    const auto numbered = number_in(fields[0]);
    auto owner = numbered;
    if (!numbered) {
      // Another range of the same unknown name is the same user's.
      owner = users.emplace(fields[0], *first).first->second;
    }
    if (*owner == 0) owner = *first;
    ranges_.emplace(*first, Range{*first + std::uint64_t{*count}, *owner});
  });
}

uid_t SubordinateIds::owner_of(uid_t user) {
  if (version_of(file_) != read_) read();
  auto range = ranges_.upper_bound(user);
  if (range == ranges_.begin()) return user;
  --range;
  return user < range->second.end ? range->second.owner : user;
}

}  // namespace px::broker
