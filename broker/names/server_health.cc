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

void ServerHealth::remember(Times& times, ChannelKey server, std::chrono::seconds length) {
  const auto now = now_();
  std::erase_if(times, [&](const auto& each) { return each.second <= now; });
  times[plain(std::move(server))] = now + length;
}

bool ServerHealth::is_remembered(const Times& times, ChannelKey server) const {
  const auto found = times.find(plain(std::move(server)));
  return found != times.end() && now_() < found->second;
}

void ServerHealth::was_silent(ChannelKey server) {
  remember(silent_until_, std::move(server), kRemembered);
}

void ServerHealth::has_answered(ChannelKey server) {
  silent_until_.erase(plain(std::move(server)));
}

bool ServerHealth::is_silent(ChannelKey server) const {
  return is_remembered(silent_until_, std::move(server));
}

void ServerHealth::was_refused(ChannelKey server) {
  remember(refused_until_, std::move(server), kRefused);
}

bool ServerHealth::is_refused(ChannelKey server) const {
  return is_remembered(refused_until_, std::move(server));
}

}  // namespace px::broker
