// SPDX-License-Identifier: MIT
#include "preload/bundles/fragile_programs.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "preload/system_calls.h"

namespace px::shim {
namespace {

// ncat ends with "Unknown address family", haproxy refuses its configuration, and busybox (wget,
// nc, telnet) sets the port of IPv4 and IPv6 addresses alone.
constexpr std::array<std::string_view, 3> kFragile = {"busybox", "haproxy", "ncat"};

}  // namespace

bool is_fragile(std::string_view file) {
  return std::find(kFragile.begin(), kFragile.end(), file) != kFragile.end();
}

bool is_fragile_program() {
  const KeepErrno keep;
  std::array<char, PATH_MAX> path;
  const long length = ::syscall(SYS_readlink, "/proc/self/exe", path.data(), path.size());
  if (length <= 0) return false;
  std::string_view file(path.data(), static_cast<std::size_t>(length));
  if (const auto slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
  // What the kernel says of a program whose file was replaced while it runs.
  constexpr std::string_view kDeleted = " (deleted)";
  if (file.ends_with(kDeleted)) file.remove_suffix(kDeleted.size());
  return is_fragile(file);
}

}  // namespace px::shim
