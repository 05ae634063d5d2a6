// SPDX-License-Identifier: MIT
// What one look at all sources of links' name servers has found: a plain value, from a child
// process of the broker's.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "broker/host/link_names.h"

namespace px::broker {

// Of a service on the message bus. kLate: it, or the bus, is there, but did not answer in time.
enum class BusAnswer : std::uint8_t { kAnswered, kAbsent, kLate };

struct LinkReading {
  LinkNamesByInterface links;
  // By LinkNames::source.
  std::map<std::string, BusAnswer> services;

  friend bool operator==(const LinkReading&, const LinkReading&) = default;
};

}  // namespace px::broker
