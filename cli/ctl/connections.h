// SPDX-License-Identifier: MIT
// What each program that the broker knows is connected to now, as the kernel has it: all
// transports, of the programs whose descriptors this process may see.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "util/error.h"

namespace px::cli {

// `programs` and `paths`: the broker's answers to `ps` and `paths`. A list of the programs, each
// with `pid, uid, exe, profile, why_unseen` (null, or why its connections are not known) and
// `connections`: list of `transport, state, source, source_port, destination, port, interface`
// (null where it is not known), one of MPTCP for each of its subflows.
[[nodiscard]] Expected<nlohmann::json> connections_of(const nlohmann::json& programs,
                                                      const nlohmann::json& paths);

}  // namespace px::cli
