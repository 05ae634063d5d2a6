// SPDX-License-Identifier: MIT
// What the environment says, copied when the library is loaded: programs (nginx) clear their
// environment later. A value, written by the constructor; read from any thread and signal handler.
#pragma once

#include <sys/un.h>

#include <array>

#include "plan/layout.h"

namespace px::shim {

struct Settings {
  bool named = false;             // PX_PROFILE is there: without a profile, calls fail closed
  const char* problem = nullptr;  // why no broker can be asked with these settings
  std::array<char, plan::kProfileNameSize> profile{};
  std::array<char, sizeof(sockaddr_un::sun_path)> socket_path{};
  bool stderr_open = false;  // descriptor 2 is the program's stderr, not something it will open
};

[[nodiscard]] Settings read_settings(const char* const* environment);

}  // namespace px::shim
