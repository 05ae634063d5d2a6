// SPDX-License-Identifier: MIT
// Name servers of links from services on the system's message bus, systemd-resolved and
// NetworkManager. A service that is not there is not started, and gives nothing. Waits for answers,
// for a second each at most, and for less than kLongestOnBus in all.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "broker/link_names/link_reading.h"

namespace px::broker {

// By interface index.
using InterfaceNames = std::map<int, std::string>;

// Below what the broker gives the child, which has files to read, too.
inline constexpr std::chrono::milliseconds kLongestOnBus{3000};

// What the first of these services says of each link, and how each of them has answered.
[[nodiscard]] LinkReading names_on_bus(const InterfaceNames& interfaces);

}  // namespace px::broker
