// SPDX-License-Identifier: MIT
// `--via WAY` beside a running broker: a profile that this broker has for as long as programs need
// it, and the process that keeps it.
#pragma once

#include <optional>
#include <string>

#include "cli/client.h"
#include "util/error.h"

namespace px::cli {

// A profile that stays while the connection does.
struct HeldProfile {
  Client connection;
  std::string name;
};

// Asks the first broker that answers. Nothing where none does, or it serves another network
// namespace; an error where it refuses the way, or where the one that `search` names does not
// answer.
[[nodiscard]] Expected<std::optional<HeldProfile>> hold_profile(const SocketSearch& search,
                                                                const std::string& way);

// Starts a process that keeps the profile until this process, whatever it becomes, and all that it
// started under the profile have ended. If the broker is started again, it has the profile again.
// To be called before the environment is changed: the process shows none.
[[nodiscard]] Expected<void> keep_profile(HeldProfile& profile, const std::string& way);

}  // namespace px::cli
