// SPDX-License-Identifier: MIT
// Makes the broker's listening socket. Called once, at start.
#pragma once

#include <filesystem>

#include "util/error.h"
#include "util/fd.h"

namespace px::broker {

// A non-blocking SOCK_SEQPACKET socket listening at the path, which everyone may connect to. A
// socket that nobody answers at is replaced; one that somebody answers at, or a file that is no
// socket, is an error.
[[nodiscard]] Expected<Fd> listen_at(const std::filesystem::path& path);

}  // namespace px::broker
