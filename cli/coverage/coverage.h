// SPDX-License-Identifier: MIT
// Whether libpx.so can act in a program, and if not, why. px-exec refuses by it, and `pxctl
// explain` prints it. Looks at the file, never runs it; no state.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "cli/coverage/program.h"

namespace px::cli {

enum class Obstacle {
  kNone,
  kStatic,             // no loader, so nothing is preloaded
  kOtherLibc,          // musl and others
  kOtherMachine,       // 32-bit, or another processor
  kChangesIds,         // set-user-ID, set-group-ID: the loader ignores LD_PRELOAD
  kCapabilities,       // the same, by file capabilities
  kGo,                 // calls the kernel without libc
  kClearsEnvironment,  // run by `env -i`
  kUnreadable,         // cannot be examined
};

struct Examination {
  std::string file;    // that execvp(3) runs
  std::string binary;  // that runs in the end: the file, or a script's interpreter
  Obstacle obstacle = Obstacle::kNone;
  std::string why;                      // one line for people; empty when covered
  std::vector<std::string> sanitizers;  // sonames that must stand first in LD_PRELOAD

  [[nodiscard]] bool covered() const { return obstacle == Obstacle::kNone; }
};

// The process that will run the program: decides whether set-ID bits and capabilities take effect.
struct Caller {
  uid_t user = 0;
  gid_t group = 0;
  bool no_new_privileges = false;
};
[[nodiscard]] Caller current_caller();

// `file` is a path as find_program() gives it; `path` is $PATH, for scripts run by env.
[[nodiscard]] Runnable<Examination> examine(const std::string& file, const char* path,
                                            const Caller& caller);

}  // namespace px::cli
