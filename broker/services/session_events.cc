// SPDX-License-Identifier: MIT
#include "broker/services/session_events.h"

#include <nlohmann/json.hpp>

#include "broker/control/reports.h"
#include "broker/sessions/server.h"
#include "broker/sessions/session_table.h"

namespace px::broker {
namespace {

constexpr std::chrono::seconds kCountersInterval{1};

}  // namespace

void SessionEvents::start() {
  report_counters();
  timer_.after(kCountersInterval, [this] { start(); });
}

void SessionEvents::report_counters() {
  if (!server_.watched()) return;
  for (const Session* session : sessions_.all()) {
    const Totals totals = session->totals();
    if (reported_[session->pid] == totals) continue;
    reported_[session->pid] = totals;
    server_.broadcast(json_text(counters_event(*session, totals)), session->uid);
  }
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
  if (server_.watched()) server_.broadcast(json_text(session_event(event, session)), session.uid);
}

}  // namespace px::broker
