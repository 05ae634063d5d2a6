// SPDX-License-Identifier: MIT
// What pxctl may have the broker do about its policy and its host. Enforcement implements it.
#pragma once

#include <memory>
#include <string>

#include "util/error.h"

namespace px::broker {

class PolicyControl {
 public:
  virtual ~PolicyControl() = default;

  // Puts the policy as it is written now in force, or nothing of it: BrokerState::last_reload.
  virtual void reload() = 0;
  // The list of added routers has changed: the host's entries follow.
  [[nodiscard]] virtual Expected<void> use_added_routers() = 0;

  // Puts a profile in force that sends everything through `way` (a path, an entry's number or an
  // interface), if it is not yet: its name. It stays while this is held, and while programs run
  // under it. `wanted`: the name to give it, if it is free; empty: any.
  [[nodiscard]] virtual Expected<std::shared_ptr<const std::string>> hold_way(
      const std::string& way, const std::string& wanted) = 0;
};

}  // namespace px::broker
