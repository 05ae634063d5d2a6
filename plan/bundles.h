// SPDX-License-Identifier: MIT
// Reads what a plan says about bundles (bundle_layout.h). Any bytes are safe: every offset is
// checked, and every value brought into its range. Pure; no heap. Callable from any thread and from
// signal handlers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "libbundle/core/notation.h"
#include "plan/layout.h"

namespace px::plan {

// The bundle that a name of the policy stands for.
struct BundleNotation {
  std::array<char, bundle::kMostNotation> characters{};
  std::uint32_t length = 0;  // 0: all addresses of the name itself
  bool implicit = false;     // an alias: programs know it as an ordinary name
  bool any = false;          // found by `alias: any`, not by its name

  [[nodiscard]] std::string_view text() const { return {characters.data(), length}; }
};

// Without transports where the half holds no plan.
[[nodiscard]] BundleSettings bundle_settings(std::span<const std::byte> half);

// `NAME.bundle` or an alias, in any case, with or without a dot at the end; or, under `alias: any`,
// any other name that is neither an address nor ends in `.bundle`. Nothing for every other text.
[[nodiscard]] std::optional<BundleNotation> bundle_named(std::span<const std::byte> half,
                                                         std::string_view name);

}  // namespace px::plan
