// SPDX-License-Identifier: MIT
#include "preload/names/fragile_programs.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "preload/process/system_calls.h"

namespace px::shim {
namespace {

// ncat ends with "Unknown address family", haproxy refuses its configuration, and busybox (wget,
// nc, telnet) sets the port of IPv4 and IPv6 addresses alone. tnftp, openvpn and PuTTY's programs
// end by assertions.
constexpr std::array<std::string_view, 9> kFragile = {
    "busybox", "haproxy", "ncat", "openvpn", "plink", "pscp", "psftp", "putty", "tnftp"};

// node does up to version 19.
constexpr std::array<std::string_view, 2> kTakesFirst = {"iperf3", "node"};

using Test = bool (*)(std::string_view file);

bool this_program_is(Test test) {
  const KeepErrno keep;
  std::array<char, PATH_MAX> path;
  const long length = ::syscall(SYS_readlink, "/proc/self/exe", path.data(), path.size());
  if (length <= 0) return false;
  std::string_view file(path.data(), static_cast<std::size_t>(length));
  if (const auto slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
  // Behind the name of a program whose file was replaced while it runs.
  constexpr std::string_view kDeleted = " (deleted)";
  if (file.ends_with(kDeleted)) file.remove_suffix(kDeleted.size());
  return test(file);
}

}  // namespace

bool is_fragile(std::string_view file) {
  return std::find(kFragile.begin(), kFragile.end(), file) != kFragile.end();
}

bool takes_first_address(std::string_view file) {
  return std::find(kTakesFirst.begin(), kTakesFirst.end(), file) != kTakesFirst.end() ||
         is_fragile(file);
}

bool is_fragile_program() {
  return this_program_is(&is_fragile);
}

bool program_takes_first_address() {
  return this_program_is(&takes_first_address);
}

}  // namespace px::shim
