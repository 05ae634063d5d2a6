// SPDX-License-Identifier: MIT
#include "util/process_environment.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include "util/fd.h"

namespace px {
namespace {

// The kernel bounds an environment by a quarter of the stack's limit: 6 MiB by default.
constexpr std::size_t kLargest = 8 * 1024 * 1024;

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Its strings, each with its NUL.
std::string environment_of(const std::filesystem::path& process) {
  const Fd file(open((process / "environ").c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char piece[16 * 1024];
  while (file && text.size() < kLargest) {
    const ssize_t count = read(file.get(), piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(piece, static_cast<std::size_t>(count));
  }
  return text;
}

bool has(std::string_view environment, std::string_view setting) {
  while (!environment.empty()) {
    const auto end = std::min(environment.find('\0'), environment.size());
    if (environment.substr(0, end) == setting) return true;
    environment.remove_prefix(std::min(end + 1, environment.size()));
  }
  return false;
}

}  // namespace

bool any_process_started_with(std::span<const std::string> settings) {
  const std::string self = std::to_string(getpid());
  std::error_code ignored;
  for (std::filesystem::directory_iterator each("/proc", ignored), end; each != end;
       each.increment(ignored)) {
    const std::string name = each->path().filename();
    if (!is_number(name) || name == self) continue;
    const std::string environment = environment_of(each->path());
    const auto its = [&](const std::string& setting) { return has(environment, setting); };
    if (std::all_of(settings.begin(), settings.end(), its)) return true;
  }
  return false;
}

}  // namespace px
