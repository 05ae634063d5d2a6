// SPDX-License-Identifier: MIT
// What an audit knows of the processes that make sockets. It looks at a process when it makes its
// first one, since it may be gone when its first packet is judged. For one thread.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>

namespace px::cli {

struct AuditedProcess {
  pid_t pid = 0;
  pid_t parent = 0;             // 0: it was gone before we looked
  std::string command;          // as the kernel names it
  std::string executable;       // empty: gone, or the kernel itself
  std::optional<bool> covered;  // absent: cannot be told
  std::string why_not;
  std::string profile;  // the last that was known; empty: none was
  bool named = false;   // as one that px does not act in
};

class AuditedProcesses {
 public:
  // `command` and `parent` are what the kernel told, if it did. Known ones are not looked at again.
  AuditedProcess& look_at(pid_t pid, const std::string& command = {}, pid_t parent = 0);
  [[nodiscard]] const std::map<pid_t, AuditedProcess>& all() const { return all_; }

 private:
  std::map<pid_t, AuditedProcess> all_;
};

// "curl (pid 12, /usr/bin/curl)"; harmless on terminals.
[[nodiscard]] std::string name_of(const AuditedProcess& process);

// Of the process's parent; 0 where it is gone.
[[nodiscard]] pid_t parent_of(pid_t pid);

}  // namespace px::cli
