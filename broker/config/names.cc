// SPDX-License-Identifier: MIT
#include "broker/config/names.h"

#include <algorithm>
#include <array>

namespace px::broker {

plan::NameSettings NameGroup::settings() const {
  const auto count = learns() ? kMostLearnedServers : static_cast<std::uint8_t>(servers.size());
  return {plan::NamesFrom::kProfile, count, timeout_s, attempts};
}

bool Names::learn() const {
  return std::ranges::any_of(groups, &NameGroup::learns);
}

bool Names::redirect() const {
  return std::ranges::any_of(groups, &NameGroup::redirect);
}

const NameGroup* Names::rest() const {
  const auto found = std::ranges::find_if(groups, &NameGroup::is_rest);
  return found == groups.end() ? nullptr : &*found;
}

plan::NameSettings Names::settings() const {
  if (groups.empty()) return {plan::NamesFrom::kHost, 0, 0, 0};
  plan::NameSettings settings{plan::NamesFrom::kSomeOfProfile, 0, 0, 0};
  for (const NameGroup& group : groups) {
    const plan::NameSettings own = group.settings();
    if (group.names.empty()) settings.from = plan::NamesFrom::kProfile;
    settings.servers = std::max(settings.servers, own.servers);
    settings.timeout_s = std::max(settings.timeout_s, own.timeout_s);
    settings.attempts = std::max(settings.attempts, own.attempts);
  }
  return settings;
}

const NameGroup* Names::group_of(const dns::Name& name) const {
  const NameGroup* found = nullptr;
  std::size_t longest = 0;
  for (const NameGroup& group : groups) {
    if (group.names.empty() && found == nullptr) found = &group;
    for (const dns::NamePattern& pattern : group.names) {
      if (pattern.length() <= longest || !pattern.matches(name)) continue;
      found = &group;
      longest = pattern.length();
    }
  }
  return found;
}

std::string text_of(const dns::NamePattern& pattern) {
  std::array<char, dns::kNameTextSize> buffer;
  return (pattern.is_wildcard() ? "*." : "") + std::string(pattern.domain().text(buffer));
}

}  // namespace px::broker
