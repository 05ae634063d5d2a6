// SPDX-License-Identifier: MIT
// Starts a broker for one program, in a directory of its own, where no other broker runs or will
// do. pxd ends and cleans up by itself, when the program and its children have ended. The program
// gets neither a child nor a descriptor that it did not ask for. Called once, by px-exec,
// single-threaded.
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
