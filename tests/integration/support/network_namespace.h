// SPDX-License-Identifier: MIT
// A network namespace of the test's own, entered in this process, and iproute2 to change it with.
// Single-threaded programs only: without root it takes a user namespace first.
#pragma once

#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace px::test {

// What is missing, empty if nothing is. The namespace entered before is left and so goes away.
inline std::string enter_new_network_namespace() {
  static bool capable = ::geteuid() == 0;
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (!capable) {
    if (::unshare(CLONE_NEWUSER) != 0) {
      return std::string("no user namespaces here: ") + std::strerror(errno);
    }
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << "0 " << uid << " 1";
    std::ofstream("/proc/self/gid_map") << "0 " << gid << " 1";
    capable = true;
  }
  if (::unshare(CLONE_NEWNET) != 0) {
    return std::string("no network namespaces here: ") + std::strerror(errno);
  }
  return {};
}

// Starts a program with the words of `command` as its arguments; its process id, or -1.
inline pid_t start_program(const std::string& command) {
  std::istringstream stream(command);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = -1;
  if (::posix_spawnp(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) {
    return -1;
  }
  return pid;
}

[[nodiscard]] inline bool run_program(const std::string& command) {
  const pid_t pid = start_program(command);
  int status = -1;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace px::test
