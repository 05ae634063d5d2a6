// SPDX-License-Identifier: MIT
#include "broker/services/control_service.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "broker/control/bundle_reports.h"
#include "broker/control/errands.h"
#include "broker/control/explain.h"
#include "broker/control/explain_request.h"
#include "broker/control/host_checks.h"
#include "broker/control/metrics.h"
#include "broker/control/reports.h"
#include "broker/host/router_list.h"
#include "broker/identity/administrator.h"
#include "broker/identity/lost_library.h"
#include "broker/identity/processes.h"
#include "broker/mptcp/subflows.h"
#include "broker/publish/in_force.h"
#include "broker/routing/routing.h"
#include "broker/services/lookups_report.h"
#include "broker/services/policy_control.h"
#include "broker/services/resolve_report.h"
#include "broker/services/session_events.h"
#include "broker/sessions/profile_assignments.h"
#include "broker/sessions/server.h"
#include "broker/sessions/session_table.h"

namespace px::broker {
namespace {

using nlohmann::json;
using Parts = ControlService::Parts;

struct Asker {
  uid_t uid;
  std::optional<uid_t> owner;  // whose programs a command may be about; absent: everyone's
};

struct CommandResult {
  using Done = std::function<void(const json&)>;

  CommandResult(json the_text) : text(std::move(the_text)) {}

  json text;
  std::function<void(Done)> later{};   // where the text comes later
  std::shared_ptr<const void> held{};  // while the client stays connected
};

json error_of(const std::string& message) {
  return {{"error", message}};
}

CommandResult bundle_command(const Parts& parts, const Asker&, const json& request) {
  return bundle_report(request.value("name", ""), parts.publisher);
}

CommandResult doctor_command(const Parts& parts, const Asker&, const json&) {
  auto checks = collect_host_checks(parts.in_force.policy, parts.in_force.snapshot, parts.routing);
  if (!checks) return error_of(checks.error().message);
  if (const auto& subflows = parts.subflows.state(); !subflows) {
    checks->no_subflows = subflows.error().message;
  }
  checks->without_library = programs_without_library(std::nullopt, parts.state.socket).size();
  return doctor_report(*checks);
}

CommandResult explain_command(const Parts& parts, const Asker& asker, const json& request) {
  const Policy& policy = parts.in_force.policy;
  const auto question = question_of(request, asker.uid, asker.owner, policy, parts.sessions);
  if (!question) return error_of(question.error().message);
  const auto others = parts.lookups.names_of(question->profile.value_or(""),
                                             question->call.destination, asker.owner);
  return explain(*question, policy, parts.in_force.snapshot, parts.routing.marks(), parts.publisher,
                 others);
}

CommandResult move_command(const Parts& parts, const Asker& asker, const json& request) {
  const pid_t pid = request.value("pid", pid_t{0});
  const std::string profile = request.value("profile", "");
  const auto before = parts.assignments.move(pid, profile, asker.owner);
  if (!before) return error_of(before.error().message);
  parts.events.moved(*parts.sessions.find(pid));
  return json{{"ok", true}, {"pid", pid}, {"from", *before}, {"profile", profile}};
}

CommandResult names_command(const Parts& parts, const Asker&, const json&) {
  return lookups_report(parts.lookups, parts.in_force, parts.routing.marks());
}

CommandResult paths_command(const Parts& parts, const Asker&, const json&) {
  return paths_report(parts.in_force.policy, parts.in_force.snapshot, parts.routing.marks(),
                      parts.routers.all());
}

CommandResult ps_command(const Parts& parts, const Asker& asker, const json&) {
  const auto under_px = [&](pid_t pid) { return parts.sessions.find(pid) != nullptr; };
  const auto uncovered = uncovered_programs(parts.in_force.policy, asker.owner, under_px);
  return programs_report(parts.sessions, uncovered,
                         programs_without_library(asker.owner, parts.state.socket), asker.owner);
}

CommandResult reload_command(const Parts& parts, const Asker&, const json&) {
  parts.policy_control.reload();
  return reload_report(parts.state, parts.in_force.policy);
}

CommandResult resolve_command(const Parts& parts, const Asker& asker, const json& request) {
  const auto question = resolve_question_of(request, parts.in_force.policy, parts.lookups);
  if (!question) return error_of(question.error().message);
  CommandResult result(json{});
  result.later = [&parts, user = asker.uid, question = *question](CommandResult::Done done) {
    const auto begun = std::chrono::steady_clock::now();
    parts.lookups.resolve(user, question.profile, question.lookup,
                          [question, begun, done = std::move(done)](const LookupResult& found) {
                            const auto took = std::chrono::steady_clock::now() - begun;
                            done(resolve_report(question, found, took));
                          });
  };
  return result;
}

CommandResult router_command(const Parts& parts, const Asker&, const json& request) {
  const auto router = router_from_text(request.value("router", ""));
  if (!router) return error_of(router.error().message);
  const std::string action = request.value("action", "");
  if (action != "add" && action != "delete") {
    return error_of("unknown action '" + action + "'; expected add or delete");
  }
  const Snapshot& snapshot = parts.in_force.snapshot;
  const auto changed =
      action == "add" ? parts.routers.add(*router, snapshot) : parts.routers.remove(*router);
  if (!changed) return error_of(changed.error().message);
  if (const auto used = parts.policy_control.use_added_routers(); !used) {
    return error_of(used.error().message);
  }
  return json{{"ok", true},
              {"action", action},
              {"router", to_text(*router)},
              {"interfaces", interfaces_of(*router, snapshot)}};
}

CommandResult status_command(const Parts& parts, const Asker&, const json&) {
  return status_report(parts.state, parts.in_force.policy, parts.publisher, parts.sessions,
                       parts.server);
}

CommandResult watch_command(const Parts& parts, const Asker& asker, const json&) {
  if (!parts.server.may_watch(asker.uid)) {
    return error_of(std::to_string(Server::kMostWatchers) +
                    " of your programs watch already; end one of them");
  }
  return reload_event(parts.state);
}

// px-exec's --via: the profile stays while the connection does.
CommandResult via_command(const Parts& parts, const Asker&, const json& request) {
  if (parts.network_namespace.excludes(request.value("network_namespace", std::uint64_t{0}))) {
    json reply = error_of("the broker is in another network namespace; run a pxd in this one");
    reply["other_namespace"] = true;
    return reply;
  }
  auto held = parts.policy_control.hold_way(request.value("way", ""), request.value("profile", ""));
  if (!held) return error_of(held.error().message);
  CommandResult reply(json{{"profile", **held}});
  reply.held = std::move(*held);
  return reply;
}

std::vector<Metric> metrics_now(const Parts& parts) {
  const Asker nobody{};
  return metrics_of(status_command(parts, nobody, {}).text, paths_command(parts, nobody, {}).text,
                    names_command(parts, nobody, {}).text, parts.sessions.totals_by_profile());
}

CommandResult metrics_command(const Parts& parts, const Asker&, const json&) {
  const auto metrics = metrics_now(parts);
  json report = metrics_report(metrics);
  report["text"] = open_metrics_text(metrics);
  return report;
}

enum class May {
  kAnyone,
  kOwners,  // everyone, of their own programs; administrators of all
  kAdministrators,
};

enum class Where {
  kHere,
  kAside,  // in a child process: it takes long, and changes nothing
};

struct Command {
  std::string_view name;
  May may;
  Where where;
  CommandResult (*answer)(const Parts&, const Asker&, const json& request);
  const char* what = "";  // that is refused to all but administrators
  Answer::Then then = Answer::Then::kServe;
};

constexpr std::array kCommands{
    Command{"bundle", May::kAnyone, Where::kHere, bundle_command},
    Command{"doctor", May::kAnyone, Where::kAside, doctor_command},
    Command{"explain", May::kOwners, Where::kHere, explain_command},
    Command{"metrics", May::kAnyone, Where::kHere, metrics_command},
    Command{"move", May::kOwners, Where::kHere, move_command},
    Command{"names", May::kAnyone, Where::kHere, names_command},
    Command{"paths", May::kAnyone, Where::kHere, paths_command},
    Command{"ps", May::kOwners, Where::kAside, ps_command},
    Command{"reload", May::kAdministrators, Where::kHere, reload_command, "reload"},
    Command{"resolve", May::kAnyone, Where::kHere, resolve_command},
    Command{"router", May::kAdministrators, Where::kHere, router_command, "add or delete routers"},
    Command{"status", May::kAnyone, Where::kHere, status_command},
    Command{"via", May::kAnyone, Where::kHere, via_command, "", Answer::Then::kHold},
    Command{"watch", May::kOwners, Where::kHere, watch_command, "", Answer::Then::kWatch},
};

bool is_for_administrators(const Command& command, const Peer& peer) {
  return command.may == May::kAdministrators && !is_administrator(peer.uid);
}

Asker asker_of(const Command& command, const Peer& peer) {
  Asker asker{peer.uid, std::nullopt};
  if (command.may == May::kOwners && !is_administrator(peer.uid)) asker.owner = peer.uid;
  return asker;
}

// The same for all who are given the same answer.
std::string shared_question(const std::string& command, const Asker& asker) {
  return (asker.owner ? std::to_string(*asker.owner) : "all") + " " + command;
}

}  // namespace

void ControlService::register_with(Dispatcher& dispatcher) {
  dispatcher.add(plan::MessageType::kRequest, [this](const Peer& peer, Packet packet) {
    const auto text = plan::parse_text(packet);
    return text ? answer(peer, *text) : no_answer();
  });
}

std::string ControlService::metrics_text() const {
  return open_metrics_text(metrics_now(parts_));
}

Answer ControlService::answer(const Peer& peer, std::string_view text) {
  const json request = json::parse(text, nullptr, false);
  if (!request.is_object()) return text_answer(json_text(error_of("a request is a JSON object")));
  try {
    const std::string name = request.value("command", "");
    const auto* command = std::ranges::find(kCommands, name, &Command::name);
    if (command == std::end(kCommands)) {
      return text_answer(json_text(error_of("unknown command '" + name + "'")));
    }
    if (is_for_administrators(*command, peer)) {
      const std::string who = "only root and the broker's own user may ";
      return text_answer(json_text(error_of(who + command->what)));
    }
    const Asker asker = asker_of(*command, peer);
    if (command->where == Where::kAside) {
      return parts_.errands.ask(peer.uid, shared_question(name, asker),
                                [this, command, asker, request] {
                                  return json_text(command->answer(parts_, asker, request).text);
                                });
    }
    CommandResult result = command->answer(parts_, asker, request);
    if (result.later) {
      Answer answer;
      answer.later = [later = std::move(result.later)](Reply reply) {
        later(
            [reply = std::move(reply)](const json& text) { reply(text_answer(json_text(text))); });
      };
      return answer;
    }
    Answer answer = text_answer(json_text(result.text));
    answer.held = std::move(result.held);
    if (!result.text.contains("error")) answer.then = command->then;
    return answer;
  } catch (const json::exception& error) {
    const std::string why = std::string("the request does not read: ") + error.what();
    return text_answer(json_text(error_of(why)));
  }
}

}  // namespace px::broker
