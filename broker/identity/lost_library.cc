// SPDX-License-Identifier: MIT
#include "broker/identity/lost_library.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "broker/identity/processes.h"
#include "plan/wire.h"
#include "util/process_environment.h"
#include "util/process_id.h"

namespace px::broker {
namespace {

// Of an environment more is not looked at: it is as long as programs like.
constexpr std::size_t kMostEnvironment = 256 * 1024;

// The value of a variable in /proc/PID/environ, where each ends with a NUL.
std::optional<std::string> variable(std::string_view environment, std::string_view name) {
  while (!environment.empty()) {
    const std::string_view line = environment.substr(0, environment.find('\0'));
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == '=') {
      return std::string(line.substr(name.size() + 1));
    }
    environment.remove_prefix(std::min(line.size() + 1, environment.size()));
  }
  return std::nullopt;
}

// The loader maps libpx.so before libc: with libc and without libpx.so it will not come any more.
// A program without a loader is linked statically.
bool is_without_library(const std::filesystem::path& process) {
  std::ifstream maps(process / "maps");
  bool any = false;
  bool loader = false;
  bool libc = false;
  std::size_t lines = 0;
  for (std::string line; std::getline(maps, line); any = true) {
    if (++lines > kMostMappings) return false;
    const std::string_view file = std::string_view(line).substr(line.rfind('/') + 1);
    if (file == "libpx.so" || file == "libpx.so (deleted)") return false;
    loader = loader || file.starts_with("ld-linux");
    libc = libc || file.starts_with("libc.so.") || file.starts_with("libc-2.");
  }
  return any && (libc || !loader);
}

bool is_of(const std::filesystem::path& process, uid_t user) {
  struct stat status {};
  return stat(process.c_str(), &status) == 0 && status.st_uid == user;
}

}  // namespace

std::map<pid_t, std::string> programs_without_library(std::optional<uid_t> user,
                                                      const std::string& socket) {
  std::map<pid_t, std::string> found;
  std::error_code error;
  for (const auto& process : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = process.path().filename();
    if (!is_process_id(name) || (user && !is_of(process.path(), *user))) continue;
    const auto environment = environment_of(process.path(), kMostEnvironment);
    if (!environment) continue;
    const auto profile = variable(*environment, plan::kProfileVariable);
    if (!profile || !plan::valid_profile_name(*profile)) continue;
    if (variable(*environment, plan::kSocketVariable).value_or(socket) != socket) continue;
    if (is_without_library(process.path())) found.emplace(std::stol(name), *profile);
  }
  return found;
}

}  // namespace px::broker
