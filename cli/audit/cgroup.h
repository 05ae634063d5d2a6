// SPDX-License-Identifier: MIT
// Cgroups (version 2) for an audit: the one that this process is in, or a new one below it for one
// program. Needs no mounted cgroup file system: it makes a mount of its own, which nobody else
// sees. A new cgroup goes with its object; what still runs in it returns to where it came from.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "util/error.h"
#include "util/fd.h"

namespace px::cli {

class Cgroup {
 public:
  // Of all processes that this one can see.
  [[nodiscard]] static Expected<Cgroup> root();
  // Below this process's.
  [[nodiscard]] static Expected<Cgroup> make_own();

  Cgroup(Cgroup&& other) noexcept = default;
  Cgroup& operator=(Cgroup&& other) = delete;
  ~Cgroup();

  [[nodiscard]] int directory() const { return directory_.get(); }
  // For the calling process, before it becomes the program. 0 or errno; allocates nothing.
  [[nodiscard]] int join() const;
  [[nodiscard]] std::vector<pid_t> processes() const;

 private:
  Cgroup(Fd parent, std::string name, Fd directory);

  Fd parent_;         // none for the root
  std::string name_;  // in the parent
  Fd directory_;
};

}  // namespace px::cli
