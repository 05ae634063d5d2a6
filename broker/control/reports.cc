// SPDX-License-Identifier: MIT
#include "broker/control/reports.h"

#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "broker/control/bundle_reports.h"
#include "broker/control/name_reports.h"
#include "broker/host/router_list.h"
#include "broker/publish/path_resolution.h"
#include "broker/publish/plan_builder.h"
#include "broker/publish/publisher.h"
#include "broker/sessions/server.h"
#include "broker/sessions/session_table.h"

namespace px::broker {
namespace {

using nlohmann::json;

std::int64_t seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

json null_or(const std::string& text) {
  return text.empty() ? json() : json(text);
}

json entry_report(const Entry& entry) {
  return {{"number", entry.number},
          {"interface", entry.interface},
          {"family", entry.source.is_ipv4() ? "ipv4" : "ipv6"},
          {"next_hop", entry.next_hop ? json(text_of(*entry.next_hop)) : json()},
          {"source", text_of(entry.source)},
          {"own_source", entry.own_source},
          {"default_next_hop", entry.default_next_hop},
          {"needs_mark", entry.needs_mark},
          {"interface_default", entry.interface_default()},
          {"usable", entry.usable()},
          {"why", null_or(why_not_usable(entry))}};
}

std::string selector_text(const PathSelector& path) {
  std::string text;
  if (!path.interface.empty()) text = "interface " + path.interface;
  if (path.source) text += (text.empty() ? "source " : ", source ") + text_of(*path.source);
  if (path.gateway) text += (text.empty() ? "gateway " : ", gateway ") + text_of(*path.gateway);
  return text;
}

const char* name_of(plan::OnLoss on_loss) {
  switch (on_loss) {
    case plan::OnLoss::kBlock:
      return "block";
    case plan::OnLoss::kSystem:
      return "system";
    case plan::OnLoss::kLastKnown:
      break;
  }
  return "last-known";
}

const char* name_of(SessionState state) {
  switch (state) {
    case SessionState::kCovered:
      return "covered";
    case SessionState::kUncovered:
      return "uncovered";
    case SessionState::kLaunched:
      break;
  }
  return "launched";
}

json outcome_report(const ReloadOutcome& outcome) {
  return {{"time", seconds(outcome.time)},
          {"ok", outcome.errors.empty()},
          {"errors", outcome.errors},
          {"warnings", outcome.warnings}};
}

json event_of(const char* event) {
  return {{"event", event}, {"time", seconds(std::chrono::system_clock::now())}};
}

void add_totals(json& report, const Totals& totals) {
  report["routed"] = totals.routed;
  report["system"] = totals.system;
  report["refused"] = totals.refused;
  report["unavailable"] = totals.unavailable;
  report["names"] = totals.names;
  report["names_failed"] = totals.names_failed;
}

}  // namespace

std::string text_of(const Address& address) {
  std::array<char, bundle::kAddressTextSize> buffer{};
  return std::string(bundle::address_text(address, buffer));
}

std::string why_not_usable(const Entry& entry) {
  if (!entry.link_up) return "link down";
  if (!entry.source_valid) return "source address not valid yet";
  return {};
}

std::string json_text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json paths_report(const Policy& policy, const Snapshot& snapshot, const Marks& marks,
                  const std::vector<AddedRouter>& routers) {
  json entries = json::array();
  for (const Entry& entry : snapshot.entries) entries.push_back(entry_report(entry));
  json paths = json::array();
  for (const PathSelector& path : policy.paths) {
    json selected = json::array();
    json available = json::array();
    for (const std::size_t index : resolve_path(path, snapshot)) {
      const Entry& entry = snapshot.entries[index];
      selected.push_back(entry.number);
      const bool usable = (plan_entry(entry, path, marks).flags & plan::kEntryUsable) != 0;
      if (usable) available.push_back(entry.number);
    }
    paths.push_back({{"name", path.name},
                     {"selector", selector_text(path)},
                     {"entries", selected},
                     {"available", available}});
  }
  json added = json::array();
  for (const AddedRouter& router : routers) {
    added.push_back({{"router", to_text(router)}, {"interfaces", interfaces_of(router, snapshot)}});
  }
  return {{"entries", entries}, {"paths", paths}, {"routers", added}};
}

json status_report(const BrokerState& state, const Policy& policy, const Publisher& publisher,
                   const SessionTable& sessions, const Server& server) {
  json profiles = json::array();
  auto programs = sessions.programs_by_profile();
  for (const auto& [name, published] : publisher.all()) {
    const Profile* profile = policy.profile(name);
    profiles.push_back({{"name", name},
                        {"rules", profile == nullptr ? 0 : profile->rules.size()},
                        {"generation", published.file->plan().generation()},
                        {"plan_bytes", published.file->size()},
                        {"bundle", profile == nullptr ? json() : settings_report(profile->bundle)},
                        {"dns", profile == nullptr ? json() : names_report(profile->names)},
                        {"programs", programs[name]},
                        {"removed", published.removed}});
  }
  return {{"pid", getpid()},
          {"version", PX_VERSION},
          {"instance", state.instance},
          {"started", seconds(state.started)},
          {"socket", state.socket},
          {"config", policy.files},
          {"default_profile", policy.default_profile ? json(*policy.default_profile) : json()},
          {"on_loss", name_of(policy.on_loss)},
          {"generation", state.policy_generation},
          {"last_reload", outcome_report(state.last_reload)},
          {"connections", server.connections()},
          {"sessions", sessions.size()},
          {"limits",
           {{"connections_per_user", server.limits().per_user},
            {"sessions_per_user", sessions.limits().per_user}}},
          {"bundles", bundles_report(policy.bundles)},
          {"profiles", profiles}};
}

json programs_report(const SessionTable& sessions, const UncoveredPrograms& uncovered,
                     const std::map<pid_t, std::string>& without_library,
                     std::optional<uid_t> user) {
  constexpr char kLost[] = "libpx.so is not in it: LD_PRELOAD was replaced, or not heeded";
  json programs = json::array();
  for (const Session* session : sessions.all()) {
    if (user && session->uid != *user) continue;
    const bool lost =
        session->state != SessionState::kUncovered && without_library.contains(session->pid);
    json program = {{"pid", session->pid},
                    {"uid", session->uid},
                    {"exe", session->executable},
                    {"profile", null_or(session->assignment.profile)},
                    {"origin", name_of(session->assignment.origin)},
                    {"state", name_of(lost ? SessionState::kUncovered : session->state)},
                    {"why", lost ? json(kLost) : null_or(session->why_uncovered)},
                    {"since", seconds(session->since)}};
    add_totals(program, session->totals());
    programs.push_back(std::move(program));
  }
  const auto add_uncovered = [&](pid_t pid, const Program& other, const std::string& profile,
                                 Origin origin, const char* why) {
    json program = {{"pid", pid},
                    {"uid", other.uid},
                    {"exe", other.executable},
                    {"profile", profile},
                    {"origin", name_of(origin)},
                    {"state", name_of(SessionState::kUncovered)},
                    {"why", why},
                    {"since", nullptr}};
    add_totals(program, {});
    programs.push_back(std::move(program));
  };
  for (const UncoveredProgram& other : uncovered.programs) {
    if (without_library.contains(other.pid)) continue;
    add_uncovered(other.pid, other.program, other.profile, Origin::kMatched,
                  "it runs without libpx.so");
  }
  for (const auto& [pid, profile] : without_library) {
    const auto program = sessions.find(pid) == nullptr ? program_of(pid) : std::nullopt;
    if (program) add_uncovered(pid, *program, profile, Origin::kEnvironment, kLost);
  }
  return {{"programs", programs}, {"unseen", uncovered.unseen}};
}

json reload_report(const BrokerState& state, const Policy& policy) {
  const auto& errors = state.last_reload.errors;
  if (!errors.empty()) return {{"ok", false}, {"errors", errors}};
  return {{"ok", true},
          {"generation", state.policy_generation},
          {"profiles", policy.profiles.size()},
          {"warnings", state.last_reload.warnings}};
}

json reload_event(const BrokerState& state) {
  json event = event_of("policy");
  event["generation"] = state.policy_generation;
  event["ok"] = state.last_reload.errors.empty();
  event["errors"] = state.last_reload.errors;
  return event;
}

json paths_event(const Snapshot& snapshot) {
  json event = event_of("paths");
  std::size_t usable = 0;
  for (const Entry& entry : snapshot.entries) usable += entry.usable();
  event["entries"] = snapshot.entries.size();
  event["usable"] = usable;
  return event;
}

json session_event(const char* name, const Session& session) {
  json event = event_of(name);
  event["pid"] = session.pid;
  event["exe"] = session.executable;
  event["profile"] = session.assignment.profile;
  return event;
}

json counters_event(const Session& session, const Totals& totals) {
  json event = session_event("counters", session);
  add_totals(event, totals);
  return event;
}

}  // namespace px::broker
