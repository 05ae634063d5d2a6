// SPDX-License-Identifier: MIT
#include "broker/config/name_pattern_text.h"

#include <algorithm>
#include <optional>

#include "broker/config/suggestion.h"
#include "libbundle/core/host_name.h"

namespace px::broker {
namespace {

constexpr std::string_view kExpected =
    "expected a name (corp.example), or '*.' and a domain (*.corp.example)";

std::optional<dns::NamePattern> pattern_in(std::string_view text) {
  const std::string_view domain = text.starts_with("*.") ? text.substr(2) : text;
  if (!bundle::valid_host_name(domain) || bundle::ends_in_number(domain)) return std::nullopt;
  return dns::NamePattern::from_text(text);
}

// `*.` and the whole labels behind the last `*`, or behind a dot in front; empty where these make
// no pattern.
std::string meant_by(std::string_view text) {
  const std::size_t star = text.rfind('*');
  std::string_view domain = text.substr(star == text.npos ? 0 : star + 1);
  const bool in_front =
      star == text.npos || text.substr(0, star + 1).find_first_not_of('*') == text.npos;
  if (!in_front) domain.remove_prefix(std::min(domain.find('.'), domain.size()));
  if (domain.starts_with('.')) domain.remove_prefix(1);
  std::string pattern = "*." + std::string(domain);
  return pattern_in(pattern) ? pattern : std::string();
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0; });
}

std::string bad(std::string_view text, std::string_view why) {
  return "bad name " + in_quotes(text) + std::string(why);
}

}  // namespace

tl::expected<dns::NamePattern, std::string> parse_name_pattern(std::string_view text) {
  if (const auto pattern = pattern_in(text)) return *pattern;
  if (!is_ascii(text)) {
    return tl::make_unexpected(bad(text, "; expected its ASCII form, which begins with xn--"));
  }
  const bool star = text.find('*') != text.npos;
  if (!star && !text.starts_with('.')) {
    return tl::make_unexpected(bad(text, "; " + std::string(kExpected)));
  }
  const std::string meant = meant_by(text);
  const std::string why = star ? ": a '*' stands for whole labels in front" : "";
  return tl::make_unexpected(bad(text, why + (meant.empty() ? "; " + std::string(kExpected)
                                                            : "; did you mean '" + meant + "'?")));
}

}  // namespace px::broker
