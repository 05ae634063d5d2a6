// SPDX-License-Identifier: MIT
#include "broker/link_names/known_link_names.h"

#include <algorithm>
#include <utility>

namespace px::broker {

bool KnownLinkNames::holds(const std::string& service, const LinkReading& reading,
                           Clock::time_point now) {
  const auto found = reading.services.find(service);
  if (found == reading.services.end() || found->second == BusAnswer::kAnswered) return false;
  if (found->second == BusAnswer::kLate) return true;
  const auto [since, is_new] = gone_.emplace(service, now);
  const auto left = since->second + kRestart - now;
  if (left <= Clock::duration::zero()) return false;
  again_ = std::min(again_.value_or(kRetry), std::chrono::ceil<std::chrono::milliseconds>(left));
  return true;
}

void KnownLinkNames::take(LinkReading reading, Clock::time_point now) {
  again_.reset();
  for (const auto& [service, answer] : reading.services) {
    if (answer != BusAnswer::kAbsent) gone_.erase(service);
    if (answer == BusAnswer::kLate) again_ = kRetry;
  }
  for (const auto& [interface, names] : links_) {
    if (holds(names.source, reading, now)) reading.links[interface] = names;
  }
  links_ = std::move(reading.links);
}

}  // namespace px::broker
