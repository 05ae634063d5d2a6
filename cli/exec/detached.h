// SPDX-License-Identifier: MIT
// Starting a process that is no child of ours: its own session, its own descriptors, no trace in
// this process (child, pending signal, descriptor). For single-threaded callers.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "util/error.h"
#include "util/fd.h"

namespace px::cli {

// The descriptor that the program finds its readiness pipe at.
inline constexpr int kReadyDescriptor = 3;

struct Detached {
  Fd ready;   // read ends, close-on-exec
  Fd errors;  // the program's standard error
};

// Runs `words` (the first is the file) with `variables` (NAME=VALUE), in `/`, with default signals
// (SIGPIPE and SIGXFSZ ignored), the limits that may be had, standard input and output on
// /dev/null. Failures after the fork are written to `errors`.
[[nodiscard]] Expected<Detached> start_detached(const std::vector<std::string>& words,
                                                const std::vector<std::string>& variables);

// Runs `work` in such a process, which then ends: in `/`, with default signals (SIGPIPE ignored),
// standard input, output and error on /dev/null, and of this process's other descriptors these two.
[[nodiscard]] Expected<void> run_detached(std::array<int, 2> descriptors,
                                          const std::function<void()>& work);

}  // namespace px::cli
