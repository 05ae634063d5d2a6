// SPDX-License-Identifier: MIT
#include "dns/name_pattern.h"

namespace px::dns {

std::optional<NamePattern> NamePattern::from_text(std::string_view text) {
  constexpr std::string_view kBelow = "*.";
  const bool wildcard = text.starts_with(kBelow);
  if (wildcard) text.remove_prefix(kBelow.size());
  const auto domain = Name::from_text(text);
  // A host's name needs no escapes.
  if (!domain || !domain->is_host() || text.find('\\') != text.npos) return std::nullopt;
  return NamePattern(domain->lowered(), wildcard);
}

bool NamePattern::matches(const Name& name) const {
  return wildcard_ ? name.is_below(domain_) : name.is_same(domain_);
}

bool NamePattern::covers(const NamePattern& other) const {
  if (!other.wildcard_) return matches(other.domain_);
  return wildcard_ && (other.domain_ == domain_ || matches(other.domain_));
}

}  // namespace px::dns
