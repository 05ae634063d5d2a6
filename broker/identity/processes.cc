// SPDX-License-Identifier: MIT
#include "broker/identity/processes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include "util/fd.h"
#include "util/process_id.h"

namespace px::broker {
namespace {

constexpr std::size_t kMostAncestors = 64;
constexpr unsigned kKernelThread = 0x00200000;  // PF_KTHREAD; include/linux/sched.h
constexpr unsigned kExiting = 0x00000004;       // PF_EXITING: not a zombie yet, and without a file

std::string proc(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

// The path that a link of /proc stands for; empty where it stands for none that has a name.
std::string path_of_link(std::string text) {
  constexpr std::string_view kDeleted = " (deleted)";
  if (text.ends_with(kDeleted)) text.resize(text.size() - kDeleted.size());
  return text.starts_with('/') ? text : std::string();
}

std::string executable_path(pid_t pid) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = readlink(proc(pid, "exe").c_str(), target.data(), target.size());
  return path_of_link({target.data(), length > 0 ? static_cast<std::size_t>(length) : 0});
}

// cgroups(7): the line of the v2 hierarchy begins with "0::".
std::string cgroup_of(pid_t pid) {
  std::ifstream file(proc(pid, "cgroup"));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::")) return line.substr(3);
  }
  return {};
}

struct Status {
  pid_t parent = 0;
  bool kernel_thread = false;
  bool ended = false;  // or about to: it has no executable any more
};

// proc(5): the name, in parentheses, may itself have any; the fields behind it have none. Of the
// first thread: for /proc/PID/stat the kernel adds up all threads, of which there may be thousands.
std::optional<Status> status_of(pid_t pid) {
  std::ifstream file(proc(pid, ("task/" + std::to_string(pid) + "/stat").c_str()));
  std::string line;
  std::getline(file, line, '\0');
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  char state;
  int group, session, terminal, foreground;
  unsigned flags;
  Status status;
  if (!(fields >> state >> status.parent >> group >> session >> terminal >> foreground >> flags)) {
    return std::nullopt;
  }
  status.kernel_thread = (flags & kKernelThread) != 0;
  status.ended = state == 'Z' || state == 'X' || (flags & kExiting) != 0;
  return status;
}

std::optional<uid_t> owner_of(pid_t pid) {
  struct stat status {};
  if (stat(proc(pid, "").c_str(), &status) != 0) return std::nullopt;
  return status.st_uid;
}

// Whether libpx.so is in the process; true where that cannot be told. A program may have as many
// mappings as it likes, each a line that the kernel works out.
bool has_library(pid_t pid) {
  std::ifstream maps(proc(pid, "maps"));
  std::size_t lines = 0;
  for (std::string line; std::getline(maps, line) && lines < kMostMappings; ++lines) {
    if (line.ends_with("/libpx.so") || line.ends_with("/libpx.so (deleted)")) return true;
  }
  return lines == 0 || lines == kMostMappings;
}

// Whether the process is in another network namespace, where this broker's policy is not in force.
bool is_in_other_network(pid_t pid) {
  struct stat own {};
  struct stat other {};
  return stat("/proc/self/ns/net", &own) == 0 && stat(proc(pid, "ns/net").c_str(), &other) == 0 &&
         (own.st_ino != other.st_ino || own.st_dev != other.st_dev);
}

}  // namespace

Program program_of(pid_t pid, uid_t uid, const std::string& link) {
  Program program{executable_path(pid), uid, cgroup_of(pid)};
  if (program.executable.empty()) program.executable = path_of_link(link);
  return program;
}

std::optional<Program> program_of(pid_t pid) {
  const auto owner = owner_of(pid);
  return owner ? std::optional(program_of(pid, *owner, {})) : std::nullopt;
}

// Where it may not be read (hidepid of /proc), the connection's user is all that is known. Every
// program's start waits for this, so it is one read, of the lines that stand first in the file.
uid_t user_of(pid_t pid, uid_t connected) {
  constexpr std::string_view kKey = "\nUid:";
  if (connected == 0) return 0;
  const Fd file(open(proc(pid, "status").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> room;
  const ssize_t size = file ? read(file.get(), room.data(), room.size()) : -1;
  if (size <= 0) return connected;
  std::string_view text(room.data(), static_cast<std::size_t>(size));
  const auto place = text.find(kKey);
  if (place == std::string_view::npos) return connected;
  text.remove_prefix(place + kKey.size());
  // Real, effective and saved.
  for (int i = 0; i < 3; ++i) {
    text.remove_prefix(std::min(text.find_first_not_of('\t'), text.size()));
    uid_t user = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), user);
    if (error != std::errc{} || user != connected) return 0;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  return connected;
}

std::vector<pid_t> ancestors_of(pid_t pid) {
  std::vector<pid_t> ancestors;
  while (ancestors.size() < kMostAncestors) {
    const auto status = status_of(pid);
    if (!status || status->parent <= 0) break;
    pid = status->parent;
    ancestors.push_back(pid);
  }
  return ancestors;
}

UncoveredPrograms uncovered_programs(const Policy& policy, std::optional<uid_t> user,
                                     const std::function<bool(pid_t)>& known) {
  UncoveredPrograms found;
  if (!policy.matching()) return found;
  std::error_code error;
  for (const auto& process : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = process.path().filename();
    if (!is_process_id(name)) continue;
    const auto pid = static_cast<pid_t>(std::stol(name));
    if (known(pid) || (user && owner_of(pid) != *user)) continue;
    const auto program = program_of(pid);
    const auto status = status_of(pid);
    if (!program || !status || status->kernel_thread || status->ended) continue;
    if (program->executable.empty()) {
      found.unseen += access(proc(pid, "").c_str(), F_OK) == 0;
      continue;
    }
    const Profile* match = best_match(policy, *program);
    if (match == nullptr || has_library(pid) || is_in_other_network(pid)) continue;
    found.programs.push_back({pid, *program, match->name});
  }
  return found;
}

}  // namespace px::broker
