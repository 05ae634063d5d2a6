// SPDX-License-Identifier: MIT
// Tells watchers of the programs that run under px: that they start, end and move, and what their
// counters say while they run.
#pragma once

#include <sys/types.h>

#include <map>
#include <vector>

#include "broker/sessions/counters_page.h"
#include "util/timer.h"

namespace px::broker {

class Server;
class SessionTable;
struct Session;

class SessionEvents {
 public:
  SessionEvents(asio::io_context& context, const SessionTable& sessions, Server& server)
      : sessions_(sessions), server_(server), timer_(context) {}

  // Reports the counters that have changed, now and at every interval from then on.
  void start();

  void started(const Session& session);
  void moved(const Session& session);
  void ended(const Session& session);

 private:
  void report_some();
  void report_counters(const Session& session);
  void tell(const char* event, const Session& session);

  const SessionTable& sessions_;
  Server& server_;
  std::map<pid_t, Totals> reported_;
  std::vector<pid_t> due_;  // to be reported in this interval
  Timer timer_;
};

}  // namespace px::broker
