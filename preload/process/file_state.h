// SPDX-License-Identifier: MIT
// What the kernel says of an open file, by a bare system call: a library that fakes what files are
// (libfaketime, fakeroot) does not reach px. Callable from any thread and from signal handlers; may
// change errno.
#pragma once

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <optional>

namespace px::shim {

// As fstat(2); nothing where there is no such descriptor.
[[nodiscard]] inline std::optional<struct stat> file_state(int fd) {
  struct stat state {};
  if (::syscall(SYS_fstat, fd, &state) != 0) return std::nullopt;
  return state;
}

// Which file it is, whatever its descriptors.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t number = 0;

  friend constexpr bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

[[nodiscard]] inline std::optional<FileIdentity> file_identity(int fd) {
  const auto state = file_state(fd);
  if (!state) return std::nullopt;
  return FileIdentity{state->st_dev, state->st_ino};
}

}  // namespace px::shim
