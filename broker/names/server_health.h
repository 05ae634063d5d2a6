// SPDX-License-Identifier: MIT
// Which name servers were silent a moment ago: they are asked last, so that each lookup does not
// wait for them anew. A server by another egress is another one. Forgotten after half a minute, and
// as soon as the server answers.
#pragma once

#include <chrono>
#include <functional>
#include <map>

#include "broker/names/channel.h"

namespace px::broker {

class ServerHealth {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  static constexpr std::chrono::seconds kRemembered{30};
  static constexpr std::chrono::seconds kRefused{10};

  explicit ServerHealth(Clock now = &std::chrono::steady_clock::now) : now_(std::move(now)) {}

  void was_silent(ChannelKey server);
  void has_answered(ChannelKey server);
  [[nodiscard]] bool is_silent(ChannelKey server) const;

  // It could not prove its name: it is not asked for a while.
  void was_refused(ChannelKey server);
  [[nodiscard]] bool is_refused(ChannelKey server) const;

 private:
  using Times = std::map<ChannelKey, std::chrono::steady_clock::time_point>;
  void remember(Times& times, ChannelKey server, std::chrono::seconds length);
  [[nodiscard]] bool is_remembered(const Times& times, ChannelKey server) const;

  Clock now_;
  Times silent_until_;
  Times refused_until_;
};

}  // namespace px::broker
