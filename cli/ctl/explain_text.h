// SPDX-License-Identifier: MIT
// The sentences of `pxctl explain`, from the broker's answer (docs/protocol.md). Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/ctl/table.h"

namespace px::cli {

// "Profile vpn-split, as --profile says."
[[nodiscard]] std::string profile_text(const nlohmann::json& answer);

// The verdict on the connection, the reason, and the candidates of the rule that decided.
[[nodiscard]] std::string verdict_text(const nlohmann::json& answer, const Terminal& terminal);

}  // namespace px::cli
