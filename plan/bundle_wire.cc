// SPDX-License-Identifier: MIT
#include "plan/bundle_wire.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace px::plan {

std::optional<Outcome> parse_outcome(std::span<const std::byte> packet) {
  const auto header = parse_header(packet);
  if (!header || header->type != MessageType::kOutcome || packet.size() != sizeof(Outcome)) {
    return std::nullopt;
  }
  Outcome outcome;
  std::memcpy(&outcome, packet.data(), sizeof outcome);
  const auto* end = std::find(std::begin(outcome.profile), std::end(outcome.profile), '\0');
  if (end == std::end(outcome.profile) || !valid_profile_name(outcome.profile)) return std::nullopt;
  if (outcome.port == 0 || outcome.alive > 1) return std::nullopt;
  return outcome;
}

std::optional<Paths> parse_paths(std::span<const std::byte> packet) {
  const auto header = parse_header(packet);
  if (!header || header->type != MessageType::kPaths || packet.size() != sizeof(Paths)) {
    return std::nullopt;
  }
  Paths paths;
  std::memcpy(&paths, packet.data(), sizeof paths);
  if (paths.port == 0 || paths.count == 0 || paths.count > bundle::kMostMembers) {
    return std::nullopt;
  }
  return paths;
}

}  // namespace px::plan
