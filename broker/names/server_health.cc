// SPDX-License-Identifier: MIT
#include "broker/names/server_health.h"

#include <utility>

namespace px::broker {
namespace {

// However it is asked.
ChannelKey plain(ChannelKey server) {
  server.stream = server.extended = false;
  return server;
}

}  // namespace

void ServerHealth::was_silent(ChannelKey server) {
  const auto now = now_();
  std::erase_if(silent_until_, [&](const auto& each) { return each.second <= now; });
  silent_until_[plain(std::move(server))] = now + kRemembered;
}

void ServerHealth::has_answered(ChannelKey server) {
  silent_until_.erase(plain(std::move(server)));
}

bool ServerHealth::is_silent(ChannelKey server) const {
  const auto found = silent_until_.find(plain(std::move(server)));
  return found != silent_until_.end() && now_() < found->second;
}

}  // namespace px::broker
