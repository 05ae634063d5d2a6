// SPDX-License-Identifier: MIT
#include "cli/locations.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace px::cli {
namespace {

constexpr char kSystemPolicy[] = "/etc/px/px.yaml";

// Empty where neither variable says.
std::string user_policy() {
  const std::string config = environment("XDG_CONFIG_HOME");
  if (config.starts_with('/')) return config + "/px/px.yaml";
  const std::string home = environment("HOME");
  return home.empty() ? home : home + "/.config/px/px.yaml";
}

bool readable(const std::string& file) {
  return !file.empty() && access(file.c_str(), R_OK) == 0;
}

}  // namespace

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string absolute_path(const std::string& path) {
  std::error_code ignored;  // without a working directory, the path stays as it was given
  const auto absolute = std::filesystem::absolute(path, ignored);
  return ignored ? path : absolute.lexically_normal().string();
}

Installation installation_of(const std::string& program) {
  const auto directory = std::filesystem::path(program).parent_path();
  const auto root = directory.parent_path();
  if (directory.filename() == "cli") {
    return {(root / "broker/daemon/pxd").string(), (root / "preload/libpx.so").string(),
            (root / "cli/px-audit").string()};
  }
  return {(root / "sbin/pxd").string(), (root / "lib/px/libpx.so").string(),
          (root / "libexec/px/px-audit").string()};
}

Expected<Installation> find_installation() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return fail("cannot tell where px is installed: /proc/self/exe: " + error.message());
  return installation_of(program.string());
}

std::string find_policy(const std::string& option) {
  if (!option.empty()) return absolute_path(option);
  if (std::string user = user_policy(); readable(user)) return user;
  return readable(kSystemPolicy) ? kSystemPolicy : std::string();
}

std::string policy_places() {
  const std::string user = user_policy();
  return user.empty() ? kSystemPolicy : user + " and " + kSystemPolicy;
}

}  // namespace px::cli
