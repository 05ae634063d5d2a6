// SPDX-License-Identifier: MIT
#include "broker/daemon/programs_end.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "broker/daemon/run_directory.h"
#include "broker/sessions/session_table.h"
#include "plan/wire.h"
#include "util/process_environment.h"

namespace px::broker {
namespace {

constexpr std::chrono::milliseconds kInterval{500};
constexpr int kQuietLooks = 2;

}  // namespace

std::string ProgramsEnd::setting_of(const std::string& socket) {
  return std::string(plan::kSocketVariable) + "=" + socket;
}

Expected<void> ProgramsEnd::watch(pid_t process) {
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  if (pidfd < 0) return fail_errno("process " + std::to_string(process));
  process_.assign(pidfd);
  process_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [this](const std::error_code&) { check(); });
  return {};
}

bool ProgramsEnd::any_program() const {
  return sessions_.size() != 0 || run_directory_.plans_in_use() ||
         any_process_started_with({&setting_, 1});
}

void ProgramsEnd::check() {
  quiet_ = any_program() ? 0 : quiet_ + 1;
  if (quiet_ == kQuietLooks) return ended_();
  timer_.after(kInterval, [this] { check(); });
}

}  // namespace px::broker
