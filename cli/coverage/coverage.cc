// SPDX-License-Identifier: MIT
#include "cli/coverage/coverage.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <string_view>

#include "cli/coverage/elf_file.h"
#include "util/error.h"
#include "util/fd.h"

namespace px::cli {
namespace {

struct Finding {
  Obstacle obstacle = Obstacle::kNone;
  std::string why;
};

// Whether the kernel will change privileges at exec, by the file's owner, mode and capabilities.
// Where it does, the loader ignores LD_PRELOAD (ld.so(8), secure-execution mode).
Finding examine_privileges(int fd, const Caller& caller) {
  struct stat status {};
  struct statvfs mount {};
  if (fstat(fd, &status) != 0 || fstatvfs(fd, &mount) != 0)
    return {Obstacle::kUnreadable, "it cannot be examined"};
  if (caller.no_new_privileges || (mount.f_flag & ST_NOSUID) != 0) return {};
  if ((status.st_mode & S_ISUID) != 0 && status.st_uid != caller.user)
    return {Obstacle::kChangesIds, "it is set-user-ID, so the loader ignores libpx.so"};
  // Without group execution, the bit stands for something else (inode(7)).
  constexpr mode_t kSetGroup = S_ISGID | S_IXGRP;
  if ((status.st_mode & kSetGroup) == kSetGroup && status.st_gid != caller.group)
    return {Obstacle::kChangesIds, "it is set-group-ID, so the loader ignores libpx.so"};
  if (caller.user != 0 && fgetxattr(fd, "security.capability", nullptr, 0) > 0)
    return {Obstacle::kCapabilities, "it has file capabilities, so the loader ignores libpx.so"};
  return {};
}

bool is_glibc_loader(const std::string& interpreter) {
  const std::string name = std::filesystem::path(interpreter).filename();
  return name.starts_with("ld-linux") || name.starts_with("ld64");
}

Finding examine_elf(const ElfFacts& facts) {
  constexpr unsigned kOwnBits = sizeof(void*) * 8;
  if (facts.bits != kOwnBits) {
    return {Obstacle::kOtherMachine, "it is a " + std::to_string(facts.bits) +
                                         "-bit program, and libpx.so is " +
                                         std::to_string(kOwnBits) + "-bit only"};
  }
  if (!facts.own_machine)
    return {Obstacle::kOtherMachine, "it is for another processor than libpx.so"};
  if (facts.go) return {Obstacle::kGo, "it is a Go program, which calls the kernel without libc"};
  if (!facts.interpreter)
    return {Obstacle::kStatic, "it is statically linked, so libpx.so cannot be loaded into it"};
  if (!is_glibc_loader(*facts.interpreter)) {
    return {Obstacle::kOtherLibc,
            "its C library is not glibc (its loader is " + *facts.interpreter + ")"};
  }
  return {};
}

bool is_sanitizer(std::string_view soname) {
  return soname.starts_with("libasan.so") || soname.starts_with("libtsan.so") ||
         soname.starts_with("libclang_rt.asan") || soname.starts_with("libclang_rt.tsan");
}

void set(Examination& examination, Finding finding) {
  examination.obstacle = finding.obstacle;
  examination.why = std::move(finding.why);
}

}  // namespace

Caller current_caller() {
  // The kernel compares with the real ids (execve(2), AT_SECURE in getauxval(3)).
  return {getuid(), getgid(), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1};
}

Runnable<Examination> examine(const std::string& file, const char* path, const Caller& caller) {
  PX_ASSIGN_OR_RETURN(const Interpretation interpretation, follow_interpreters(file, path));
  Examination examination;
  examination.file = file;
  examination.binary = interpretation.binary;
  if (interpretation.clears_environment) {
    set(examination, {Obstacle::kClearsEnvironment,
                      "it is run by env -i, which drops the settings that libpx.so needs"});
    return examination;
  }
  const Fd fd(open(examination.binary.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    set(examination, {Obstacle::kUnreadable, "it is not readable, so it cannot be examined"});
    return examination;
  }
  const auto facts = read_elf(fd.get());
  if (!facts) {
    set(examination, {Obstacle::kUnreadable, "it cannot be examined: " + facts.error().message});
    return examination;
  }
  if (!*facts) {
    set(examination, {Obstacle::kUnreadable, "it cannot be examined: it is not an ELF file"});
    return examination;
  }
  set(examination, examine_elf(**facts));
  if (examination.covered()) set(examination, examine_privileges(fd.get(), caller));
  for (const std::string& soname : (*facts)->needed) {
    if (is_sanitizer(soname)) examination.sanitizers.push_back(soname);
  }
  return examination;
}

}  // namespace px::cli
