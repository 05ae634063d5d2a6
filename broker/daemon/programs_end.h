// SPDX-License-Identifier: MIT
// Ends a private broker once its programs have ended: the process that px-exec became, every
// program that still runs under px, and those that are still to say hello.
#pragma once

#include <sys/types.h>

#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "util/error.h"
#include "util/process_environment.h"
#include "util/timer.h"

namespace px::broker {

class RunDirectory;
class SessionTable;

class ProgramsEnd {
 public:
  ProgramsEnd(asio::io_context& context, const SessionTable& sessions,
              const RunDirectory& run_directory, const std::string& socket,
              std::function<void()> ended)
      : sessions_(sessions),
        run_directory_(run_directory),
        started_(settings_of(socket)),
        ended_(std::move(ended)),
        process_(context),
        timer_(context) {}

  // Calls `ended` once this process has ended, and no other process has a session, has a plan
  // mapped, or was started with `socket` in PX_SOCKET.
  [[nodiscard]] Expected<void> watch(pid_t process);

 private:
  [[nodiscard]] static std::vector<std::string> settings_of(const std::string& socket);
  void await_end();
  void check();

  const SessionTable& sessions_;
  const RunDirectory& run_directory_;
  StartedProcesses started_;
  std::function<void()> ended_;
  asio::posix::stream_descriptor process_;
  Timer timer_;
};

}  // namespace px::broker
