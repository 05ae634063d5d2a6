// SPDX-License-Identifier: MIT
#include "broker/config/covered_networks.h"

#include <cstdint>

namespace px::broker {
namespace {

std::uint8_t last_bit(unsigned prefix_length) {
  return static_cast<std::uint8_t>(0x80u >> (prefix_length - 1) % 8);
}

// The network of twice the size that holds it; it must not be everything.
Network parent_of(Network network) {
  std::uint8_t& byte = network.base.bytes[(network.prefix_length - 1) / 8];
  byte = static_cast<std::uint8_t>(byte & ~last_bit(network.prefix_length));
  --network.prefix_length;
  return network;
}

// The other half of that.
Network sibling_of(Network network) {
  network.base.bytes[(network.prefix_length - 1) / 8] ^= last_bit(network.prefix_length);
  return network;
}

}  // namespace

void CoveredNetworks::add(const Network& network) {
  Network added = network;
  networks_.emplace(added.base, added.prefix_length);
  while (added.prefix_length > 0) {
    const Network other = sibling_of(added);
    if (!networks_.contains({other.base, other.prefix_length})) return;
    added = parent_of(added);
    networks_.emplace(added.base, added.prefix_length);
  }
}

bool CoveredNetworks::covers(const Network& network) const {
  if (networks_.empty()) return false;
  Network larger = network;
  while (!networks_.contains({larger.base, larger.prefix_length})) {
    if (larger.prefix_length == 0) return false;
    larger = parent_of(larger);
  }
  return true;
}

}  // namespace px::broker
