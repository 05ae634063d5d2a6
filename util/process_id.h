// SPDX-License-Identifier: MIT
// Which names below /proc are processes (proc(5)).
#pragma once

#include <string_view>

namespace px {

[[nodiscard]] inline bool is_process_id(std::string_view name) {
  return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace px
