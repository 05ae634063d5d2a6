// SPDX-License-Identifier: MIT
// Programs and their connections as a graph in the DOT language of graphviz: profiles with their
// programs on the left, what they leave by in the middle, destinations on the right. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace px::cli {

// `programs`: as connections_of() has them.
[[nodiscard]] std::string graph_in_dot(const nlohmann::json& programs);

}  // namespace px::cli
