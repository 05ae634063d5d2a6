// SPDX-License-Identifier: MIT
// Makes a Bundle of endpoints as they turn up: of names one after another, of a notation, of the
// bytes of a sockaddr. An address belongs to one host: what is there twice is kept once, and
// alternatives that share an address become one. A value; no heap, no locks, libc only: callable
// from any thread and from signal handlers.
#pragma once

#include <array>
#include <cstdint>

#include "libbundle/core/bundle.h"

namespace px::bundle {

class BundleBuilder {
 public:
  BundleBuilder();

  // Adds an endpoint behind those that are there, to the alternative `group`, any number up to
  // kMostMembers. A scope is kept only where it is part of the address (Address::is_scoped). False
  // where there was no room: the bundle will be marked as truncated.
  bool add(Endpoint endpoint, std::uint32_t group = 0);

  // The bundle, in order of preference: alternatives in the order in which they turned up, and
  // inside each its endpoints likewise.
  [[nodiscard]] Bundle build() const;

 private:
  // What the alternative is called after those that shared an address were made one.
  [[nodiscard]] std::uint32_t merged(std::uint32_t group) const;

  std::array<Endpoint, kMostMembers> endpoints_{};
  std::array<std::uint32_t, kMostMembers> groups_{};
  std::array<std::uint32_t, kMostMembers + 1> merged_into_;  // itself: not merged
  std::uint32_t count_ = 0;
  bool truncated_ = false;
};

}  // namespace px::bundle
