// SPDX-License-Identifier: MIT
// Programs that px's variables have come to and libpx.so has not: LD_PRELOAD was replaced on the
// way, or the loader did not heed it. What they send is unsteered. Nothing is kept; reads /proc as
// far as this process may, and so is for child processes that answer `pxctl`.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>

namespace px::broker {

// The profile that each of them names, by process; of one user's processes or of all. Only those
// whose PX_SOCKET, if they have one, is this broker's.
[[nodiscard]] std::map<pid_t, std::string> programs_without_library(std::optional<uid_t> user,
                                                                    const std::string& socket);

}  // namespace px::broker
