// SPDX-License-Identifier: MIT
// The value of LD_PRELOAD for a program under px. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "util/error.h"

namespace px::cli {

// The sanitizers' runtimes first (they insist), then the existing list, then libpx.so, so that
// other preloaded libraries' calls pass through it. A libpx.so that is in the list already is left
// out. An error where the loader could not read the library's path in a list.
[[nodiscard]] Expected<std::string> preload_list(std::string_view existing,
                                                 const std::string& library,
                                                 std::span<const std::string> sanitizers);

}  // namespace px::cli
