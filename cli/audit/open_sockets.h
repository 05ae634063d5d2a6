// SPDX-License-Identifier: MIT
// The Internet sockets that a process has open, as an audit needs them: those from before it, which
// no BPF program saw being made. Reads /proc, and takes a copy of each descriptor for a moment.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "audit/abi.h"
#include "util/error.h"

namespace px::cli {

struct OpenSocket {
  std::uint64_t cookie = 0;
  px_audit_socket entry{};
};

// Fails where the process may not be looked at. Nothing for one that has gone.
[[nodiscard]] Expected<std::vector<OpenSocket>> open_sockets(pid_t pid);

}  // namespace px::cli
