// SPDX-License-Identifier: MIT
#include "broker/host/own_routing.h"

#include <utility>
#include <vector>

namespace px::broker {

bool is_own(const kernel::Rule& rule) {
  return rule.protocol == kOwnProtocol;
}

bool is_own(const kernel::Route& route) {
  return route.protocol == kOwnProtocol && route.table > kOwnTableBase &&
         route.table <= kOwnTableBase + kMostTables;
}

kernel::State without_own_routing(kernel::State state) {
  std::erase_if(state.rules, [](const kernel::Rule& rule) { return is_own(rule); });
  std::erase_if(state.routes, [](const kernel::Route& route) { return is_own(route); });
  return state;
}

}  // namespace px::broker
