// SPDX-License-Identifier: MIT
// A broker for one program: started where no other runs or will do, in a directory of its own, and
// gone when the program and its children are. pxd ends and cleans up by itself; this only starts
// it, so that the program has neither a child nor a descriptor that it did not ask for. Called
// once, by px-exec, single-threaded.
#pragma once

#include <string>

#include "util/error.h"

namespace px::cli {

struct PrivateBrokerRequest {
  std::string program;  // pxd
  std::string config;   // absolute; empty: without a policy file
  std::string via;      // one of these two, or neither
  std::string rules;    // absolute
};

// The socket of the broker once it serves. An error carries what pxd said. The broker lives as long
// as this process (whatever program it becomes) or another program under it.
[[nodiscard]] Expected<std::string> start_private_broker(const PrivateBrokerRequest& request);

}  // namespace px::cli
