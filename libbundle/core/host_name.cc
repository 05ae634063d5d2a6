// SPDX-License-Identifier: MIT
#include "libbundle/core/host_name.h"

#include <algorithm>

namespace px::bundle {
namespace {

// Not <cctype>, which asks the program's locale.
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex_digit(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}
bool is_name_character(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '_';
}

std::string_view without_final_dot(std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  return name;
}

bool valid_label(std::string_view label) {
  if (label.empty() || label.size() > kMostLabel) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(), is_name_character);
}

}  // namespace

bool valid_host_name(std::string_view name) {
  name = without_final_dot(name);
  if (name.size() > kMostHostName) return false;
  for (;;) {
    const std::size_t dot = name.find('.');
    if (!valid_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

bool ends_in_number(std::string_view name) {
  name = without_final_dot(name);
  std::string_view label = name.substr(name.rfind('.') + 1);
  if (label.size() > 2 && label[0] == '0' && lower(label[1]) == 'x') {
    label.remove_prefix(2);
    return std::all_of(label.begin(), label.end(), is_hex_digit);
  }
  return !label.empty() && std::all_of(label.begin(), label.end(), is_digit);
}

bool equal_names(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool ends_with_label(std::string_view name, std::string_view suffix) {
  return name.size() > suffix.size() &&
         equal_names(name.substr(name.size() - suffix.size()), suffix);
}

}  // namespace px::bundle
