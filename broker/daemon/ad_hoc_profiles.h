// SPDX-License-Identifier: MIT
// The profiles that px-exec's `--via WAY` has beside those of the policy, each for as long as some
// connection holds it or some program runs under it. A value but for the holds; Enforcement puts
// them in force.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/config/policy.h"
#include "broker/host/snapshot.h"
#include "util/error.h"

namespace px::broker {

// Keeps the profile of this name.
using ProfileHold = std::shared_ptr<const std::string>;

class AdHocProfiles {
 public:
  static constexpr std::size_t kMost = 256;

  // The profile that sends everything through what `way` stands for now; the same one for all who
  // ask for the same. `wanted`: the name that it had under an earlier broker; empty: none. An error
  // where there is no such way, the name cannot mean the same again, or there are too many.
  [[nodiscard]] Expected<ProfileHold> hold(const std::string& way, const std::string& wanted,
                                           const Policy& policy, const Snapshot& snapshot);

  // Adds them, and the paths that they need, to a policy. What the policy itself has of the same
  // name stays as it is, and is what they mean from now on.
  void add_to(Policy& policy);

  // Forgets those that nobody holds and that are not `in_use`: their names.
  std::vector<std::string> forget_unused(
      const std::function<bool(const std::string& profile)>& in_use);

  [[nodiscard]] bool empty() const { return profiles_.empty(); }

 private:
  struct AdHoc {
    std::string way;
    PathSelector path;
    Profile profile;
    std::weak_ptr<const std::string> hold;
  };

  std::map<std::string, AdHoc> profiles_;  // by name
};

}  // namespace px::broker
