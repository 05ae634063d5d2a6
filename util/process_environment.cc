// SPDX-License-Identifier: MIT
#include "util/process_environment.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "util/fd.h"
#include "util/process_id.h"

namespace px {
namespace {

// The kernel bounds an environment by a quarter of the stack's limit: 6 MiB by default.
constexpr std::size_t kWhole = 8 * 1024 * 1024;

constexpr std::chrono::milliseconds kInterval{500};
constexpr std::chrono::milliseconds kSoon{2};
constexpr int kQuietLooks = 2;
constexpr int kUnclearLooks = 2;

// Threads of the kernel and ended processes have none.
bool has_program(const std::filesystem::path& process) {
  char target;
  return readlink((process / "exe").c_str(), &target, 1) > 0;
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

std::optional<std::string> environment_of(const std::filesystem::path& process, std::size_t most) {
  const Fd file(open((process / "environ").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string text;
  char piece[16 * 1024];
  while (text.size() < most) {
    const ssize_t count = read(file.get(), piece, std::min(sizeof piece, most - text.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(piece, static_cast<std::size_t>(count));
  }
  return text;
}

Started processes_started_with(std::span<const std::string> settings) {
  const std::string self = std::to_string(getpid());
  Started found = Started::kNone;
  std::error_code ignored;
  for (std::filesystem::directory_iterator each("/proc", ignored), end; each != end;
       each.increment(ignored)) {
    const std::string name = each->path().filename();
    if (!is_process_id(name) || name == self) continue;
    const auto environment = environment_of(each->path(), kWhole);
    if (!environment) continue;
    const auto its = [&](const std::string& setting) { return has(*environment, setting); };
    if (std::all_of(settings.begin(), settings.end(), its)) return Started::kSome;
    if (environment->empty() && has_program(each->path())) found = Started::kUnclear;
  }
  return found;
}

std::optional<std::chrono::milliseconds> StartedProcesses::look(bool others) {
  const Started found = others ? Started::kSome : processes_started_with(settings_);
  if (found == Started::kSome) {
    quiet_ = unclear_ = 0;
    return kInterval;
  }
  if (++quiet_ < kQuietLooks) return found == Started::kNone ? kSoon : kInterval;
  if (found == Started::kUnclear && ++unclear_ < kUnclearLooks) return kInterval;
  return std::nullopt;
}

}  // namespace px
