// SPDX-License-Identifier: MIT
#include "broker/services/session_events.h"

#include <nlohmann/json.hpp>

#include "broker/control/reports.h"
#include "broker/sessions/server.h"
#include "broker/sessions/session_table.h"

namespace px::broker {
namespace {

constexpr std::chrono::seconds kCountersInterval{1};
// A user may have thousands that change all the time: others have their turns in between.
constexpr std::size_t kReportedAtATime = 64;

}  // namespace

void SessionEvents::start() {
  if (server_.watched()) {
    for (const Session* session : sessions_.all()) due_.push_back(session->pid);
  }
  report_some();
}

void SessionEvents::report_some() {
  for (std::size_t i = 0; i < kReportedAtATime && !due_.empty(); ++i) {
    const Session* session = sessions_.find(due_.back());
    due_.pop_back();
    if (session != nullptr && server_.watched(session->uid)) report_counters(*session);
  }
  if (due_.empty()) return timer_.after(kCountersInterval, [this] { start(); });
  timer_.after(std::chrono::milliseconds(0), [this] { report_some(); });
}

void SessionEvents::report_counters(const Session& session) {
  const Totals totals = session.totals();
  if (reported_[session.pid] == totals) return;
  reported_[session.pid] = totals;
  server_.broadcast(json_text(counters_event(session, totals)), session.uid);
}

void SessionEvents::started(const Session& session) {
  tell("started", session);
}

void SessionEvents::moved(const Session& session) {
  tell("moved", session);
}

void SessionEvents::ended(const Session& session) {
  reported_.erase(session.pid);
  tell("ended", session);
}

void SessionEvents::tell(const char* event, const Session& session) {
  if (!server_.watched(session.uid)) return;
  server_.broadcast(json_text(session_event(event, session)), session.uid);
}

}  // namespace px::broker
