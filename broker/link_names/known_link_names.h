// SPDX-License-Identifier: MIT
// What is known of links' name servers, over several readings: what a service on the message bus
// has said holds while that does not answer, and for a while after it has gone, as when it is
// started again. Without it other sources would name other servers for that time. Owned by
// LinkNamesKeeper; single-threaded.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "broker/link_names/link_reading.h"

namespace px::broker {

class KnownLinkNames {
 public:
  using Clock = std::chrono::steady_clock;
  // A service that has gone may be back until then.
  static constexpr std::chrono::milliseconds kRestart{5000};
  // One that has not answered is asked again.
  static constexpr std::chrono::milliseconds kRetry{5000};

  void take(LinkReading reading, Clock::time_point now);
  [[nodiscard]] const LinkNamesByInterface& links() const { return links_; }
  // How long until it is to be read again, without any change; nothing: not at all.
  [[nodiscard]] std::optional<std::chrono::milliseconds> again() const { return again_; }

 private:
  [[nodiscard]] bool holds(const std::string& service, const LinkReading& reading,
                           Clock::time_point now);

  LinkNamesByInterface links_;
  std::map<std::string, Clock::time_point> gone_;  // services, since when
  std::optional<std::chrono::milliseconds> again_;
};

}  // namespace px::broker
