// SPDX-License-Identifier: MIT
// `pxd --check`: says what is wrong with a policy, without a broker. Called once, by main.
#pragma once

#include <filesystem>

namespace px::broker {

// Prints the answer on standard output; 0 for a good policy, 1 for a bad one.
[[nodiscard]] int check_policy(const std::filesystem::path& file, bool json);

}  // namespace px::broker
