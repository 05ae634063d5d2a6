// SPDX-License-Identifier: MIT
// A policy in the making: the content of the files so far, the mistakes in it, and the references
// that can be judged only when all files are read. Owned by the loading functions, which give it up
// to finish(); not for concurrent use.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/config/policy.h"
#include "broker/config/report.h"
#include "broker/config/service_names.h"

namespace px::broker {

// A name where it is used.
struct Reference {
  std::string name;
  Position position;
};

inline constexpr char kNoProfile[] = "none";  // of `default-profile`

// Names where they were first defined, also those whose definition turned out bad.
using Definitions = std::map<std::string, Position, std::less<>>;

struct Draft {
  Policy policy;
  std::vector<Diagnostic> diagnostics;
  Definitions paths;
  Definitions profiles;
  Definitions bundles;  // lower case: NAME.bundle, and aliases
  std::optional<Position> any_bundle;
  std::vector<Reference> via;
  std::optional<ServiceNames> services;  // the host's, once a rule has named one
  std::optional<Reference> default_profile;
  Definitions broker_keys;  // of `broker:`
  // A file could not be read: names that seem undefined may be defined there.
  bool incomplete = false;
};

// Whether the name is new; if not, that is reported, with the place of the first.
[[nodiscard]] bool define(Definitions& definitions, const std::string& what, const Value& name,
                          Report& report);

// Judges the references, and gives the policy, or all diagnostics in the order of their places.
[[nodiscard]] PolicyResult finish(Draft draft);

}  // namespace px::broker
