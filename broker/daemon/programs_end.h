// SPDX-License-Identifier: MIT
// Ends a private broker once its programs have ended: the process that px-exec became, and every
// program that still runs under px.
#pragma once

#include <sys/types.h>

#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <utility>

#include "util/error.h"
#include "util/timer.h"

namespace px::broker {

class RunDirectory;
class SessionTable;

class ProgramsEnd {
 public:
  ProgramsEnd(asio::io_context& context, const SessionTable& sessions,
              const RunDirectory& run_directory, std::function<void()> ended)
      : sessions_(sessions),
        run_directory_(run_directory),
        ended_(std::move(ended)),
        process_(context),
        timer_(context) {}

  // Calls `ended` once this process has ended and no process has a plan mapped any more.
  [[nodiscard]] Expected<void> watch(pid_t process);

 private:
  void check();

  const SessionTable& sessions_;
  const RunDirectory& run_directory_;
  std::function<void()> ended_;
  asio::posix::stream_descriptor process_;
  Timer timer_;
};

}  // namespace px::broker
