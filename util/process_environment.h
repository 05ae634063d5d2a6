// SPDX-License-Identifier: MIT
// What other processes were started with, as far as this one may look (proc(5), /proc/PID/environ).
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace px {

// The strings that the process was started with, each with its NUL, of which at most `most` bytes;
// nothing where it may not be looked at. `process` is its directory in /proc.
[[nodiscard]] std::optional<std::string> environment_of(const std::filesystem::path& process,
                                                        std::size_t most);

enum class Started {
  kNone,
  kUnclear,  // none, but a process showed nothing: it is calling execve, or has no environment
  kSome,
};

// Whether a process besides this one was started with all of these in its environment, each
// "NAME=VALUE". Processes of other users, and those that hide their memory, are not seen.
[[nodiscard]] Started processes_started_with(std::span<const std::string> settings);

// Looks again and again for processes that were started with these, until there are none. A single
// look may miss one: it was forked meanwhile by one that has ended since, or it is calling execve.
class StartedProcesses {
 public:
  explicit StartedProcesses(std::vector<std::string> settings) : settings_(std::move(settings)) {}

  // Looks once. Nothing: there are none. Else when to look again; also where `others` says that
  // there is more to wait for.
  [[nodiscard]] std::optional<std::chrono::milliseconds> look(bool others = false);

 private:
  std::vector<std::string> settings_;
  int quiet_ = 0;    // looks in a row that found none
  int unclear_ = 0;  // of these, those that were not clear
};

}  // namespace px
