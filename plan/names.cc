// SPDX-License-Identifier: MIT
#include "plan/names.h"

#include <algorithm>

namespace px::plan {

NameSettings valid_name_settings(const NameSettings& settings) {
  if (settings.from == NamesFrom::kHost) return {NamesFrom::kHost, 0, 0, 0};
  const bool some = settings.from == NamesFrom::kSomeOfProfile;
  return {some ? NamesFrom::kSomeOfProfile : NamesFrom::kProfile,
          std::min(settings.servers, kMostNameServers),
          std::min(settings.timeout_s, kLongestNameTimeoutS),
          std::min(settings.attempts, kMostNameAttempts)};
}

std::uint32_t name_timeout_ms(const NameSettings& settings, std::uint8_t server) {
  const std::uint32_t whole = std::uint32_t{settings.timeout_s} << server;
  const std::uint32_t share =
      server == 0 ? whole : whole / std::max<std::uint32_t>(settings.servers, 1);
  return std::max<std::uint32_t>(share, 1) * 1000;
}

std::uint32_t lookup_limit_ms(const NameSettings& settings) {
  std::uint32_t once = 0;
  for (std::uint8_t server = 0; server < settings.servers; ++server) {
    once += name_timeout_ms(settings, server);
  }
  return once * settings.attempts;
}

}  // namespace px::plan
