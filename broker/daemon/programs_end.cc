// SPDX-License-Identifier: MIT
#include "broker/daemon/programs_end.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "broker/daemon/run_directory.h"
#include "broker/sessions/session_table.h"
#include "plan/wire.h"
#include "util/readiness.h"

namespace px::broker {
std::vector<std::string> ProgramsEnd::settings_of(const std::string& socket) {
  return {std::string(plan::kSocketVariable) + "=" + socket};
}

Expected<void> ProgramsEnd::watch(pid_t process) {
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  if (pidfd < 0) return fail_errno("process " + std::to_string(process));
  process_.assign(pidfd);
  await_end();
  return {};
}

void ProgramsEnd::await_end() {
  process_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const std::error_code&) {
    is_readable(process_.native_handle()) ? check() : await_end();
  });
}

void ProgramsEnd::check() {
  const auto again = started_.look(sessions_.size() != 0 || run_directory_.plans_in_use());
  if (!again) return ended_();
  timer_.after(*again, [this] { check(); });
}

}  // namespace px::broker
