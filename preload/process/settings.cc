// SPDX-License-Identifier: MIT
#include "preload/process/settings.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

#include "plan/wire.h"

namespace px::shim {
namespace {

std::optional<std::string_view> variable(const char* const* environment, std::string_view name) {
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    std::string_view line(*environment);
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == '=') {
      line.remove_prefix(name.size() + 1);
      return line;
    }
  }
  return std::nullopt;
}

// Whether the text, with its NUL, fits; then it is there.
bool store(std::span<char> field, std::string_view directory, std::string_view name) {
  if (directory.size() + name.size() >= field.size()) return false;
  const auto end = std::copy(directory.begin(), directory.end(), field.begin());
  *std::copy(name.begin(), name.end(), end) = '\0';
  return true;
}

bool exists(const char* path) {
  return ::syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
}

bool find_socket(const char* const* environment, std::span<char> path) {
  if (const auto given = variable(environment, plan::kSocketVariable)) {
    return !given->empty() && store(path, "", *given);
  }
  const auto runtime = variable(environment, "XDG_RUNTIME_DIR");
  if (exists(plan::kSystemSocket) || !runtime || runtime->empty()) {
    return store(path, "", plan::kSystemSocket);
  }
  std::array<char, sizeof(plan::kUserSocketBelowRuntimeDir) + 1> below{};
  return store(below, "/", plan::kUserSocketBelowRuntimeDir) && store(path, *runtime, below.data());
}

}  // namespace

Settings read_settings(const char* const* environment) {
  Settings settings;
  const auto profile = variable(environment, plan::kProfileVariable);
  settings.named = profile.has_value();
  // Without a profile, nothing is ever written there.
  if (profile) settings.stderr_file = file_identity(STDERR_FILENO);
  if (profile && (!plan::valid_profile_name(*profile) || !store(settings.profile, "", *profile))) {
    settings.problem = "PX_PROFILE is not the name of a profile";
  } else if (!find_socket(environment, settings.socket_path)) {
    settings.problem = "PX_SOCKET is not the path of a socket";
  }
  return settings;
}

}  // namespace px::shim
