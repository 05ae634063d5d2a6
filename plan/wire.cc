// SPDX-License-Identifier: MIT
#include "plan/wire.h"

#include <algorithm>

namespace px::plan {
namespace {

bool valid_profile_field(std::span<const char> field) {
  const auto name = field_text(field);
  return name && valid_profile_name(*name);
}

bool valid_or_no_profile(std::span<const char> field) {
  return field.front() == '\0' || valid_profile_field(field);
}

}  // namespace

bool Hello::is_valid() const {
  return valid_or_no_profile(profile);
}

bool Welcome::is_valid() const {
  return valid_or_no_profile(profile);
}

bool Refusal::is_valid() const {
  return field_text(reason).has_value();
}

bool Launch::is_valid() const {
  return valid_profile_field(profile) && field_text(why_uncovered) &&
         (coverage == Coverage::kCovered || coverage == Coverage::kUncovered);
}

std::optional<std::string_view> field_text(std::span<const char> field) {
  const auto end = std::find(field.begin(), field.end(), '\0');
  if (end == field.end()) return std::nullopt;
  return std::string_view(field.data(), static_cast<std::size_t>(end - field.begin()));
}

bool valid_profile_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() < kProfileNameSize && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), allowed);
}

void fill_text(std::span<char> field, std::string_view text) {
  const std::size_t length = std::min(text.size(), field.size() - 1);
  std::copy_n(text.begin(), length, field.begin());
  std::fill(field.begin() + static_cast<std::ptrdiff_t>(length), field.end(), '\0');
}

}  // namespace px::plan
