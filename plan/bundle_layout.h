// SPDX-License-Identifier: MIT
// What a plan says about bundles (abi_half.h): how a profile's sockets use them, and which names
// are bundles.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plan/abi_types.h"

namespace px::plan {

using BundleSettings = px_bundle_settings;
using BundleName = px_bundle_name;

inline constexpr std::size_t kBundleTransports = PX_BUNDLE_TRANSPORTS;

// Of a profile without `bundle`: TCP alone, as without px.
inline constexpr BundleSettings kDefaultBundleSettings = [] {
  BundleSettings settings{};
  settings.transports[0] = BundleTransport::kTcp;
  settings.entries = BundleEntries::kByProgram;
  return settings;
}();
inline constexpr std::uint32_t kStaggerExplicitMs = PX_STAGGER_EXPLICIT_MS;
inline constexpr std::uint32_t kStaggerImplicitMs = PX_STAGGER_IMPLICIT_MS;
// `stagger` as a policy may give it.
inline constexpr std::uint32_t kShortestStaggerMs = PX_STAGGER_SHORTEST_MS;
inline constexpr std::uint32_t kLongestStaggerMs = PX_STAGGER_LONGEST_MS;

inline constexpr char kBundleSuffix[] = ".bundle";
inline constexpr char kAnyName[] = "*";

}  // namespace px::plan
