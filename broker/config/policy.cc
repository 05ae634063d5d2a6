// SPDX-License-Identifier: MIT
#include "broker/config/policy.h"

#include <algorithm>
#include <iterator>

namespace px::broker {
namespace {

template <typename Named>
const Named* find_named(const std::vector<Named>& list, std::string_view name) {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const Named& candidate) { return candidate.name == name; });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

std::string to_string(const Diagnostic& diagnostic) {
  const Position& position = diagnostic.position;
  std::string text = position.file;
  if (position.line != 0) {
    text += ":" + std::to_string(position.line) + ":" + std::to_string(position.column);
  }
  return text + ": " + diagnostic.message;
}

const PathSelector* Policy::path(std::string_view name) const {
  return find_named(paths, name);
}

const Profile* Policy::profile(std::string_view name) const {
  return find_named(profiles, name);
}

bool Policy::matching() const {
  return std::any_of(profiles.begin(), profiles.end(),
                     [](const Profile& profile) { return !profile.matches.empty(); });
}

bool Policy::wants_subflows() const {
  return mptcp_subflows && std::ranges::any_of(profiles, [](const Profile& profile) {
           return std::ranges::find(profile.bundle.transports, plan::BundleTransport::kMptcp) !=
                  std::end(profile.bundle.transports);
         });
}

}  // namespace px::broker
