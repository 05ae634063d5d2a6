// SPDX-License-Identifier: MIT
// What LD_PRELOAD must be for a program under px. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "util/error.h"

namespace px::cli {

// The sanitizers' runtimes first (they insist), then what LD_PRELOAD held, then libpx.so, so that
// other preloaded libraries' calls pass through it. A libpx.so that is in it already gives way. An
// error where the loader could not read the library's path in a list.
[[nodiscard]] Expected<std::string> preload_list(std::string_view existing,
                                                 const std::string& library,
                                                 std::span<const std::string> sanitizers);

}  // namespace px::cli
