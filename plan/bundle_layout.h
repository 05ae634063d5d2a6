// SPDX-License-Identifier: MIT
// What a plan says about bundles (layout.h): how a profile's sockets use them, and which names are
// bundles. Fixed-width, native byte order. The broker writes it; any thread and any signal handler
// may read it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace px::plan {

// What carries a socket with several addresses (`bundle: { transports: [...] }`).
enum class BundleTransport : std::uint8_t { kNone, kSctp, kMptcp, kTcp };
inline constexpr std::size_t kBundleTransports = 3;

// Whether programs are given bundle entries by getaddrinfo(3) (`bundle: { entries: ... }`).
enum class BundleEntries : std::uint8_t { kByProgram, kAlways, kNever };

struct BundleSettings {
  BundleTransport transports[kBundleTransports];  // most preferred first; kNone after the last
  BundleEntries entries;
  // 1: not bundles alone, every stream socket of the program takes the first transport that the
  // kernel has (`bundle: { sockets: all }`).
  std::uint8_t all_sockets;
  std::uint8_t reserved[3];
  // Milliseconds until the next member is tried; 0: kStaggerExplicitMs inside a bundle that was
  // written as one, kStaggerImplicitMs inside one that an alias made.
  std::uint32_t stagger_ms;
};
// Of a profile that says nothing of bundles: nothing new on the wire.
inline constexpr BundleSettings kDefaultBundleSettings = {
    {BundleTransport::kTcp}, BundleEntries::kByProgram, 0, {}, 0};
inline constexpr std::uint32_t kStaggerExplicitMs = 100;
inline constexpr std::uint32_t kStaggerImplicitMs = 250;  // RFC 8305

inline constexpr char kBundleSuffix[] = ".bundle";
inline constexpr char kAnyName[] = "*";

// A name that is a bundle: `NAME.bundle` of the policy's `bundles`, or an alias.
struct BundleName {
  std::uint32_t name;             // into text; lower case; "*" for `alias: any`
  std::uint32_t name_length;      // bytes
  std::uint32_t notation;         // into text: `<a,b>`
  std::uint32_t notation_length;  // 0: all addresses of the name itself
  std::uint32_t implicit;         // 1: an alias
};

}  // namespace px::plan
