// SPDX-License-Identifier: MIT
#include "libbundle/core/zone.h"

#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace px::bundle {
namespace {

static_assert(kZoneTextSize == IF_NAMESIZE);

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_number(std::string_view zone) {
  return !zone.empty() && std::all_of(zone.begin(), zone.end(), is_digit);
}

std::uint32_t number(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char digit : digits) {
    value = 10 * value + static_cast<std::uint64_t>(digit - '0');
    if (value > std::numeric_limits<std::uint32_t>::max()) return 0;
  }
  return static_cast<std::uint32_t>(value);
}

std::string_view number_text(std::uint32_t value, std::span<char, kZoneTextSize> buffer) {
  std::size_t first = buffer.size();
  do {
    buffer[--first] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  return {buffer.data() + first, buffer.size() - first};
}

}  // namespace

bool valid_zone(std::string_view zone) {
  if (zone.empty() || zone.size() >= kZoneTextSize) return false;
  constexpr std::string_view kNotation = "<>{}[]()|,%/:";
  return std::all_of(zone.begin(), zone.end(), [&](char c) {
    return c > ' ' && c <= '~' && kNotation.find(c) == std::string_view::npos;
  });
}

std::uint32_t zone_index(std::string_view zone) {
  if (!valid_zone(zone)) return 0;
  if (is_number(zone)) return number(zone);
  std::array<char, kZoneTextSize> name{};
  zone.copy(name.data(), name.size() - 1);
  const int saved = errno;
  const std::uint32_t index = if_nametoindex(name.data());
  errno = saved;
  return index;
}

std::string_view zone_text(std::uint32_t index, std::span<char, kZoneTextSize> buffer) {
  const int saved = errno;
  const char* name = if_indextoname(index, buffer.data());
  errno = saved;
  if (name != nullptr && valid_zone(name) && !is_number(name)) return name;
  return number_text(index, buffer);
}

}  // namespace px::bundle
