// SPDX-License-Identifier: MIT
// `dns:` of a profile, as the policy has it: whom its programs ask for names. A value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/config/position.h"
#include "libbundle/core/address.h"
#include "plan/names.h"

namespace px::broker {

using bundle::Address;

struct NameServer {
  Address address;  // link-local: on the interface of the path
  std::uint16_t port = 53;

  friend bool operator==(const NameServer&, const NameServer&) = default;
};
inline constexpr std::uint8_t kMostNdots = 15;
struct Names {
  std::vector<std::string> via;     // names of paths, in order of preference
  std::vector<NameServer> servers;  // likewise; empty: as the host looks names up
  std::vector<std::string> search;  // domains
  std::uint8_t ndots = 1;
  std::uint8_t timeout_s = 5;
  std::uint8_t attempts = 2;
  Position position;

  // As the plan has it.
  [[nodiscard]] plan::NameSettings settings() const;
};

}  // namespace px::broker
