// SPDX-License-Identifier: MIT
#include "broker/host/sources.h"

#include <tuple>
#include <utility>

namespace px::broker {
namespace {

using Candidates = std::vector<const kernel::InterfaceAddress*>;

bool is_valid(const kernel::InterfaceAddress& address) {
  return !address.dad_failed && (!address.tentative || address.optimistic);
}

bool is_unique_local(const Address& address) {
  return (address.bytes[0] & 0xfe) == 0xfc;
}

const kernel::InterfaceAddress* choose_ipv4(const Candidates& candidates,
                                            const std::optional<Address>& router) {
  const kernel::InterfaceAddress* first = nullptr;
  for (const kernel::InterfaceAddress* candidate : candidates) {
    const bool wide_enough = candidate->scope == kernel::kUniverseScope ||
                             (!router && candidate->scope == kernel::kLinkScope);
    if (candidate->secondary || !wide_enough) continue;
    const kernel::Prefix& network = candidate->network;
    if (!router || bundle::common_prefix_length(network.base, *router) >= network.length) {
      return candidate;
    }
    if (first == nullptr) first = candidate;
  }
  return first;
}

const kernel::InterfaceAddress* choose_ipv6(const Candidates& candidates) {
  const auto dislike = [](const kernel::InterfaceAddress& address) {
    return std::tuple{address.deprecated || address.optimistic, is_unique_local(address.address),
                      !address.temporary};
  };
  const kernel::InterfaceAddress* best = nullptr;
  for (const kernel::InterfaceAddress* candidate : candidates) {
    if (!is_valid(*candidate)) continue;
    if (best == nullptr || dislike(*candidate) < dislike(*best)) best = candidate;
  }
  return best;
}

}  // namespace

bool can_be_source(const kernel::InterfaceAddress& address) {
  if (address.address.is_loopback_or_unspecified()) return false;
  if (address.ipv4) return address.scope < kernel::kHostScope;
  return !address.address.is_link_local() && address.address.bytes[0] != 0xff;
}

Sources::Sources(const kernel::State& state) {
  std::map<Address, Source> sources[2];
  for (const kernel::InterfaceAddress& address : state.addresses) {
    if (!can_be_source(address)) continue;
    by_interface_[address.ipv4][address.interface_index].push_back(&address);
    const auto [place, is_new] = sources[address.ipv4].try_emplace(address.address);
    Source& source = place->second;
    source.address = address.address;
    source.interfaces.push_back(address.interface_index);
    source.valid |= is_valid(address);
    source.deprecated = address.deprecated && (is_new || source.deprecated);
  }
  for (const bool ipv4 : {false, true}) {
    for (auto& [address, source] : sources[ipv4]) sources_[ipv4].push_back(std::move(source));
  }
}

std::optional<Address> Sources::kernel_choice(std::uint32_t interface_index, bool ipv4,
                                              const InterfaceHops& hops) const {
  if (hops.preferred_source) return hops.preferred_source;
  const auto choose = [&](const Candidates& candidates) {
    return ipv4 ? choose_ipv4(candidates, hops.default_next_hop.value_or(std::nullopt))
                : choose_ipv6(candidates);
  };
  const kernel::InterfaceAddress* chosen = nullptr;
  const auto own = by_interface_[ipv4].find(interface_index);
  if (own != by_interface_[ipv4].end()) chosen = choose(own->second);
  // An interface without addresses borrows another one's.
  for (auto other = by_interface_[ipv4].begin();
       chosen == nullptr && other != by_interface_[ipv4].end(); ++other) {
    chosen = choose(other->second);
  }
  if (chosen == nullptr) return std::nullopt;
  return chosen->address;
}

}  // namespace px::broker
