// SPDX-License-Identifier: MIT
#include "cli/audit/processes.h"

#include <fstream>
#include <sstream>

#include "cli/ctl/subject.h"
#include "cli/ctl/table.h"

namespace px::cli {
namespace {

std::string command_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string command;
  std::getline(file, command);
  return command;
}

}  // namespace

pid_t parent_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  // The command may hold blanks and parentheses.
  std::istringstream rest(text.substr(std::min(text.rfind(')') + 1, text.size())));
  char state = 0;
  pid_t parent = 0;
  return rest >> state >> parent ? parent : 0;
}

AuditedProcess& AuditedProcesses::look_at(pid_t pid, const std::string& command, pid_t parent) {
  const auto [place, is_new] = all_.try_emplace(pid);
  AuditedProcess& process = place->second;
  if (!is_new) return process;
  process.pid = pid;
  process.command = command;
  if (pid == 0) return process;
  process.parent = parent == 0 ? parent_of(pid) : parent;
  if (command.empty()) process.command = command_of(pid);
  const auto subject = find_subject(std::to_string(pid));
  if (!subject) return process;
  process.executable = subject->file;
  process.covered = subject->covered;
  process.why_not = subject->why;
  return process;
}

std::string name_of(const AuditedProcess& process) {
  if (process.pid == 0) return "a socket that no visible process made (MPTCP, or a pid namespace)";
  std::string text = printable(process.command) + " (pid " + std::to_string(process.pid);
  if (!process.executable.empty()) text += ", " + printable(process.executable);
  return text + ")";
}

}  // namespace px::cli
