// SPDX-License-Identifier: MIT
// What pxctl may have the broker do about its policy and its host. Enforcement implements it.
#pragma once

#include "util/error.h"

namespace px::broker {

class PolicyControl {
 public:
  virtual ~PolicyControl() = default;

  // Puts the policy as it is written now in force, or nothing of it: BrokerState::last_reload.
  virtual void reload() = 0;
  // The list of added routers has changed: the host's entries follow.
  [[nodiscard]] virtual Expected<void> use_added_routers() = 0;
};

}  // namespace px::broker
