// SPDX-License-Identifier: MIT
// Where the other parts of px and the user's policy are: pxd and libpx.so beside the running
// program, in a build directory or installed; the policy as px.yaml(5) says. Reads the environment
// and the file system only.
#pragma once

#include <string>

#include "util/error.h"

namespace px::cli {

struct Installation {
  std::string broker;   // pxd
  std::string library;  // libpx.so
  std::string auditor;  // px-audit, which a px without libbpf does not have
};

// By the place of the running program. Whether the files exist is not looked at.
[[nodiscard]] Expected<Installation> find_installation();

// The same for a program at `program`: BUILD/cli/NAME is a build directory, all else
// PREFIX/bin/NAME.
[[nodiscard]] Installation installation_of(const std::string& program);

// `option` if not empty; else the first that is readable of the user's own policy and the system's;
// empty when there is none. Always absolute.
[[nodiscard]] std::string find_policy(const std::string& option);

// The two places that find_policy() looks at, for messages.
[[nodiscard]] std::string policy_places();

[[nodiscard]] std::string absolute_path(const std::string& path);

// An environment variable; empty when it is not set.
[[nodiscard]] std::string environment(const char* name);

}  // namespace px::cli
