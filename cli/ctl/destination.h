// SPDX-License-Identifier: MIT
// The destination that a user names, as addresses. A destination is an address, a name or a bundle;
// a bundle is a notation, or a name that the policy gives it. Names are looked up as the host does,
// not by px. Single-threaded; waits for DNS.
#pragma once

#include <string>
#include <vector>

#include "cli/ctl/ask.h"
#include "libbundle/core/address.h"

namespace px::cli {

// One address, or why a member of a bundle has none.
struct Target {
  bundle::Endpoint endpoint;
  std::string member;        // of a bundle, as written there; else empty
  std::string failure;       // why it has no address; empty where it has
  unsigned alternative = 0;  // which host of the bundle, counted from 0
  // The name that was asked for, and what CNAMEs made of it; none for an address.
  std::vector<std::string> names{};
};

struct Destination {
  std::vector<Target> targets;  // at least one of them without a failure
  std::string notation;         // of a bundle; else empty
  bool several = false;         // a name or a bundle: there may be more than one answer
};

// Asks the broker whether the name is a bundle, if it is a name. An error has been printed, and
// leaves its exit status.
[[nodiscard]] Answer<Destination> find_destination(const CtlOptions& options, std::string text);

}  // namespace px::cli
