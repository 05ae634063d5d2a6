// SPDX-License-Identifier: MIT
// Name servers of links from services on the system's message bus, systemd-resolved and
// NetworkManager. A service that is not there is not started, and gives nothing. Waits for answers:
// for a second each at most.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "broker/host/link_names.h"

namespace px::broker {

// By interface index.
using InterfaceNames = std::map<int, std::string>;

// What the first of these services says of each link; nothing where one that is there does not say
// it in time.
[[nodiscard]] std::optional<LinkNamesByInterface> names_on_bus(const InterfaceNames& interfaces);

}  // namespace px::broker
