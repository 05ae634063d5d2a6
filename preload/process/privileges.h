// SPDX-License-Identifier: MIT
// Whether the process has privileges that it could keep from a process that it forks. Callable from
// any thread and from signal handlers; changes no errno.
#pragma once

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "preload/process/system_calls.h"

namespace px::shim {

// Any capability at all, in whichever user namespace; also where the kernel does not say.
[[nodiscard]] inline bool has_privileges() {
  const KeepErrno keep;
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return true;
  return (sets[0].permitted | sets[1].permitted) != 0;
}

}  // namespace px::shim
