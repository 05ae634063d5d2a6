// SPDX-License-Identifier: MIT
// What the kernel says of the host's processes, as far as this process may look. Nothing is kept;
// callable from any thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "broker/config/policy.h"

namespace px::broker {

// Of a process's mappings more are not looked at: they are as many as programs like.
inline constexpr std::size_t kMostMappings = 8192;

// The program of a process: /proc/PID/exe, or where that may not be read, the file of this link of
// /proc, which stands for a descriptor of it (empty: none); a file that was replaced since (an
// update) by its former name.
[[nodiscard]] Program program_of(pid_t pid, uid_t uid, const std::string& link);
// The same of a process that did not ask; its user is the owner of /proc/PID.
[[nodiscard]] std::optional<Program> program_of(pid_t pid);

// Whose the process is that connected as this user: the user that it is in every respect, the real,
// the effective and the saved one. A process that is several users' is root's: it has only put one
// of them aside for a while.
[[nodiscard]] uid_t user_of(pid_t pid, uid_t connected);

// The parent, its parent and so on, as far as they are to be seen.
[[nodiscard]] std::vector<pid_t> ancestors_of(pid_t pid);

struct UncoveredProgram {
  pid_t pid;
  Program program;
  std::string profile;  // that matches it
};

struct UncoveredPrograms {
  std::vector<UncoveredProgram> programs;
  std::size_t unseen = 0;  // processes whose executable may not be read
};

// The processes, of one user or of all, that some profile matches but that libpx.so is not in,
// without those that `known` says yes to, and those of other network namespaces.
[[nodiscard]] UncoveredPrograms uncovered_programs(const Policy& policy, std::optional<uid_t> user,
                                                   const std::function<bool(pid_t)>& known);

}  // namespace px::broker
