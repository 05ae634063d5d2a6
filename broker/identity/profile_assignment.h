// SPDX-License-Identifier: MIT
// Which profile a program has, and how it came to it. Values.
#pragma once

#include <string>

namespace px::broker {

enum class Origin {
  kLaunched,     // px-exec started it under the profile
  kMatched,      // the profile's `match` holds for it
  kInherited,    // from the program that started it
  kDefault,      // `default-profile`
  kMoved,        // `pxctl move`
  kEnvironment,  // PX_PROFILE, set by neither px-exec nor a parent under px
};

// "launched", "matched"...: as `pxctl ps` says it.
[[nodiscard]] const char* name_of(Origin origin);

struct ProfileAssignment {
  std::string profile;  // empty: none
  Origin origin = Origin::kEnvironment;
  std::string named{};  // PX_PROFILE, as its last hello or its launch said; empty: none
};

}  // namespace px::broker
