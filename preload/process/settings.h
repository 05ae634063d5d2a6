// SPDX-License-Identifier: MIT
// What the environment says, copied when the library is loaded: programs (nginx) clear their
// environment later. A value, written by the constructor; read from any thread and signal handler.
// One word of it is written later.
#pragma once

#include <sys/un.h>

#include <array>
#include <cstdint>
#include <optional>

#include "plan/layout.h"
#include "preload/process/file_state.h"

namespace px::shim {

// A broker that is gone is known at once: this is for one that does not come to its work, on a busy
// machine or for good.
inline constexpr std::int64_t kBrokerDeadlineMs = 5000;

struct Settings {
  bool named = false;             // PX_PROFILE is there: calls fail without the broker's welcome
  const char* problem = nullptr;  // why no broker can be asked with these settings
  std::array<char, plan::kProfileNameSize> profile{};
  std::array<char, sizeof(sockaddr_un::sun_path)> socket_path{};
  std::int64_t deadline_ms = kBrokerDeadlineMs;  // of each talk with the broker
  std::optional<FileIdentity> stderr_file;  // the program's stderr; nothing where that was closed
  bool filtered = false;                    // by is_filtered() and set_filtered() alone
};

// The program has had the kernel filter its system calls (seccomp): those that talk to the broker,
// or write a line, may be its death. From then on px makes none of them. Any thread may say so.
[[nodiscard]] inline bool is_filtered(const Settings& settings) {
  return __atomic_load_n(&settings.filtered, __ATOMIC_RELAXED);
}
inline void set_filtered(Settings* settings) {
  __atomic_store_n(&settings->filtered, true, __ATOMIC_RELAXED);
}

[[nodiscard]] Settings read_settings(const char* const* environment);

}  // namespace px::shim
