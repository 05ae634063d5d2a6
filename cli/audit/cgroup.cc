// SPDX-License-Identifier: MIT
#include "cli/audit/cgroup.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <utility>

namespace px::cli {
namespace {

constexpr char kForRoot[] = "an audit is for root (run it by sudo): cannot look at cgroups";

// <sys/mount.h> of glibc 2.36 has these calls, and excludes <linux/mount.h>.
Expected<Fd> mount_cgroups() {
  const Fd context(static_cast<int>(syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC)));
  if (!context && errno != EPERM)
    return fail_errno("an audit needs cgroups of version 2, which this kernel does not have");
  if (!context) return fail_errno(kForRoot);
  if (syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
    return fail_errno(kForRoot);
  Fd mounted(static_cast<int>(syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
  if (!mounted) return fail_errno(kForRoot);
  return mounted;
}

// Below the root; empty for the root itself.
std::string own_path() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::/")) return line.substr(4);
  }
  return {};
}

Expected<Fd> open_directory(int at, const std::string& name) {
  Fd directory(openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return fail_errno("cannot look at the cgroup " + name);
  return directory;
}

int put_into(int cgroup, const std::string& process) {
  const Fd members(openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC));
  if (!members) return errno;
  return write(members.get(), process.data(), process.size()) < 0 ? errno : 0;
}

}  // namespace

Cgroup::Cgroup(Fd parent, std::string name, Fd directory)
    : parent_(std::move(parent)), name_(std::move(name)), directory_(std::move(directory)) {}

Cgroup::~Cgroup() {
  if (!parent_) return;
  for (const pid_t pid : processes()) put_into(parent_.get(), std::to_string(pid));
  unlinkat(parent_.get(), name_.c_str(), AT_REMOVEDIR);
}

Expected<Cgroup> Cgroup::root() {
  PX_ASSIGN_OR_RETURN(Fd mounted, mount_cgroups());
  return Cgroup(Fd(), {}, std::move(mounted));
}

Expected<Cgroup> Cgroup::make_own() {
  PX_ASSIGN_OR_RETURN(const Fd mounted, mount_cgroups());
  const std::string path = own_path();
  PX_ASSIGN_OR_RETURN(Fd parent, open_directory(mounted.get(), path.empty() ? "." : path));
  std::string name = "px-audit." + std::to_string(getpid());
  if (mkdirat(parent.get(), name.c_str(), 0755) != 0)
    return fail_errno("cannot make a cgroup for the program");
  auto directory = open_directory(parent.get(), name);
  if (!directory) {
    unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR);
    return tl::make_unexpected(directory.error());
  }
  return Cgroup(std::move(parent), std::move(name), std::move(*directory));
}

int Cgroup::join() const {
  // "0" is the process that writes.
  return put_into(directory_.get(), "0");
}

std::vector<pid_t> Cgroup::processes() const {
  std::vector<pid_t> found;
  const Fd members(openat(directory_.get(), "cgroup.procs", O_RDONLY | O_CLOEXEC));
  if (!members) return found;
  std::string text;
  char piece[4096];
  for (ssize_t size = 0; (size = read(members.get(), piece, sizeof piece)) > 0;)
    text.append(piece, static_cast<std::size_t>(size));
  std::istringstream numbers(text);
  for (pid_t pid = 0; numbers >> pid;) found.push_back(pid);
  return found;
}

}  // namespace px::cli
