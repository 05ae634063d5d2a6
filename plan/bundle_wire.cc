// SPDX-License-Identifier: MIT
#include "plan/bundle_wire.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace px::plan {

std::optional<HealthReport> parse_health_report(std::span<const std::byte> packet) {
  const auto header = parse_header(packet);
  if (!header || header->type != MessageType::kHealthReport ||
      packet.size() != sizeof(HealthReport)) {
    return std::nullopt;
  }
  HealthReport outcome;
  std::memcpy(&outcome, packet.data(), sizeof outcome);
  const auto* end = std::find(std::begin(outcome.profile), std::end(outcome.profile), '\0');
  if (end == std::end(outcome.profile) || !valid_profile_name(outcome.profile)) return std::nullopt;
  if (outcome.port == 0 || outcome.alive > 1) return std::nullopt;
  return outcome;
}

std::optional<ExtraPaths> parse_extra_paths(std::span<const std::byte> packet) {
  const auto header = parse_header(packet);
  if (!header || header->type != MessageType::kExtraPaths || packet.size() != sizeof(ExtraPaths)) {
    return std::nullopt;
  }
  ExtraPaths paths;
  std::memcpy(&paths, packet.data(), sizeof paths);
  if (paths.port == 0 || paths.count == 0 || paths.count > bundle::kMostMembers) {
    return std::nullopt;
  }
  return paths;
}

}  // namespace px::plan
