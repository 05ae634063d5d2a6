// SPDX-License-Identifier: MIT
// What the daemon answers to programs, px-exec and pxctl.
#include <nlohmann/json.hpp>

#include "broker/control/bundle_reports.h"
#include "broker/control/explain.h"
#include "broker/control/host_checks.h"
#include "broker/daemon/daemon.h"
#include "broker/daemon/host.h"
#include "broker/identity/processes.h"
#include "broker/routing/program_socket.h"
#include "util/clock.h"

namespace px::broker {
namespace {

using nlohmann::json;

std::string profile_names(const Policy& policy) {
  std::string names;
  for (const Profile& profile : policy.profiles) {
    names += (names.empty() ? "" : ", ") + profile.name;
  }
  return names.empty() ? "none" : names;
}

Rejection quota(const px::Error& error) {
  return {plan::RefusalCode::kQuota, error.message};
}

}  // namespace

std::optional<Rejection> Daemon::check_namespace(std::uint64_t network_namespace) const {
  if (network_namespace != 0 && network_namespace_ != 0 &&
      network_namespace != network_namespace_) {
    return Rejection{plan::RefusalCode::kOtherNamespace,
                     "the broker is in another network namespace; run a pxd in this one"};
  }
  return std::nullopt;
}

std::string Daemon::no_such_profile(const std::string& profile) const {
  return "no profile named '" + profile + "'; there are: " + profile_names(policy_);
}

tl::expected<Admission, Rejection> Daemon::hello(Peer peer, const plan::Hello& hello,
                                                 int executable) {
  if (hello.layout_version != plan::kLayoutVersion) {
    return tl::make_unexpected(
        Rejection{plan::RefusalCode::kOtherVersion,
                  "libpx.so and pxd are of different versions; restart the older one"});
  }
  if (auto rejection = check_namespace(hello.network_namespace)) {
    return tl::make_unexpected(std::move(*rejection));
  }
  sessions_.forget_ended(peer.pid);
  Program program = program_of(peer.pid, peer.uid, executable);
  const auto assignment = assignment_of(peer, program, hello);
  if (assignment && assignment->profile.empty()) {
    sessions_.forget(peer.pid);
    return Admission{};
  }
  const PlanFile* plan = assignment ? publisher_->find(assignment->profile) : nullptr;
  if (plan == nullptr) {
    return tl::make_unexpected(
        Rejection{plan::RefusalCode::kNoSuchProfile,
                  no_such_profile(assignment ? assignment->profile : hello.profile)});
  }
  auto counters = sessions_.hello(std::move(peer), *assignment, std::move(program));
  if (!counters) return tl::make_unexpected(quota(counters.error()));
  return Admission{plan->read_only_fd(), std::move(*counters), assignment->profile,
                   plan->recheck()};
}

tl::expected<void, Rejection> Daemon::launch(Peer peer, const plan::Launch& launch) {
  const std::string profile = launch.profile;
  if (auto rejection = check_namespace(launch.network_namespace)) {
    return tl::make_unexpected(std::move(*rejection));
  }
  if (publisher_->find(profile) == nullptr) {
    return tl::make_unexpected(
        Rejection{plan::RefusalCode::kNoSuchProfile, no_such_profile(profile)});
  }
  const bool covered = launch.coverage == plan::Coverage::kCovered;
  const std::string why = covered                        ? ""
                          : launch.why_uncovered[0] == 0 ? "no reason given"
                                                         : launch.why_uncovered;
  const auto launched =
      sessions_.launch(std::move(peer), {profile, Origin::kLaunched, profile}, why);
  if (!launched) return tl::make_unexpected(quota(launched.error()));
  return {};
}

tl::expected<void, Rejection> Daemon::mark(const Peer& peer, const plan::Mark& mark,
                                           const Fd& socket) {
  // A session is its process's, whatever user that has become.
  sessions_.forget_ended(peer.pid);
  const Session* session = sessions_.find(peer.pid);
  if (session == nullptr) {
    return tl::make_unexpected(
        Rejection{plan::RefusalCode::kNotAllowed, "the process has not said hello"});
  }
  const PlanFile* plan = publisher_->find(session->assignment.profile);
  if (mark.mark != 0 && (plan == nullptr || !plan->names_mark(mark.mark))) {
    return tl::make_unexpected(Rejection{
        plan::RefusalCode::kNotAllowed,
        "the plan of '" + session->assignment.profile + "' does not name this mark (any more)"});
  }
  const auto marked =
      set_socket_mark(socket.get(), mark.mark, routing_->mask(), network_namespace_);
  if (!marked) {
    return tl::make_unexpected(Rejection{plan::RefusalCode::kUnmarkable, marked.error().message});
  }
  return {};
}

// Who says it is what the kernel knows; what he says is about his own programs alone.
void Daemon::outcome(const Peer& peer, const plan::HealthReport& outcome) {
  if (check_namespace(outcome.network_namespace)) return;
  const plan::HealthKey key{peer.uid, outcome.interface_index, outcome.address, outcome.port};
  publisher_->record_health(outcome.profile, key, outcome.alive != 0, boottime_ms());
}

Answer Daemon::request(const Peer& peer, std::string_view text) {
  const json question = json::parse(text, nullptr, false);
  if (!question.is_object()) return {json_text({{"error", "a request is a JSON object"}})};
  try {
    Answer answer;
    answer.watch = question.value("command", "") == "watch";
    answer.text = json_text(answer_to(peer, question));
    return answer;
  } catch (const json::exception& error) {
    return {json_text({{"error", std::string("the request does not read: ") + error.what()}})};
  }
}

nlohmann::json Daemon::answer_to(const Peer& peer, const json& question) {
  const std::string command = question.value("command", "");
  const bool privileged = Server::privileged(peer.uid);
  if (command == "paths")
    return paths_report(policy_, snapshot_, routing_->marks(), routers_->all());
  if (command == "status") {
    return status_report(state_, policy_, *publisher_, sessions_, server_);
  }
  if (command == "ps") {
    const auto user = privileged ? std::nullopt : std::optional(peer.uid);
    const auto under_px = [this](pid_t pid) { return sessions_.find(pid) != nullptr; };
    return programs_report(sessions_, uncovered_programs(policy_, user, under_px), user);
  }
  if (command == "bundle") return bundle_report(question.value("name", ""), *publisher_);
  if (command == "explain") return explain_to(peer, question);
  if (command == "move") return move_program(peer, question);
  if (command == "doctor") {
    auto checks = collect_host_checks(policy_, snapshot_, *routing_);
    if (!checks) return {{"error", checks.error().message}};
    if (const auto& subflows = subflows_->state(); !subflows) {
      checks->no_subflows = subflows.error().message;
    }
    return doctor_report(*checks);
  }
  if (command == "watch") return reload_event(state_);
  if (command == "reload") {
    if (privileged) return reload();
    return {{"error", "only root and the broker's own user may reload"}};
  }
  if (command == "router") {
    if (privileged) return change_routers(question);
    return {{"error", "only root and the broker's own user may add or delete routers"}};
  }
  return {{"error", "unknown command '" + command + "'"}};
}

nlohmann::json Daemon::change_routers(const json& question) {
  const auto router = router_from_text(question.value("router", ""));
  if (!router) return {{"error", router.error().message}};
  const std::string action = question.value("action", "");
  if (action != "add" && action != "delete") {
    return {{"error", "unknown action '" + action + "'; expected add or delete"}};
  }
  const auto changed =
      action == "add" ? routers_->add(*router, snapshot_) : routers_->remove(*router);
  if (!changed) return {{"error", changed.error().message}};
  watcher_.set_added_routers(routers_->all());
  if (const auto looked = look_at_paths(); !looked) return {{"error", looked.error().message}};
  return {{"ok", true},
          {"action", action},
          {"router", to_text(*router)},
          {"interfaces", interfaces_of(*router, snapshot_)}};
}

nlohmann::json Daemon::explain_to(const Peer& peer, const json& question) const {
  const std::string destination = question.value("destination", "");
  const auto address = bundle::address_from_text(destination);
  if (!address) return {{"error", "'" + destination + "' is not an address"}};
  const auto optional_text = [&](const char* key) {
    const auto found = question.find(key);
    return found == question.end() || found->is_null() ? std::string() : found->get<std::string>();
  };
  Question asked;
  asked.now_ms = monotonic_ms();
  asked.boottime_ms = boottime_ms();
  asked.user = peer.uid;
  asked.call.destination = *address;
  asked.call.port = question.value("port", std::uint16_t{0});
  asked.call.scope = question.value("scope", std::uint32_t{0});
  asked.call.transport =
      question.value("transport", "tcp") == "udp" ? plan::Transport::kUdp : plan::Transport::kTcp;
  const std::string program = optional_text("program");
  const auto pid = question.find("pid");
  const bool runs = pid != question.end() && pid->is_number();
  asked.profile_from = "none";
  if (const std::string profile = optional_text("profile"); !profile.empty()) {
    asked.profile = profile;
    asked.profile_from = "request";
  } else {
    for (const Session* session : sessions_.all()) {
      if (session->uid != peer.uid && !Server::privileged(peer.uid)) continue;
      const bool meant = runs ? session->pid == pid->get<pid_t>() : session->executable == program;
      if (!meant) continue;
      asked.profile = session->assignment.profile;
      asked.user = session->uid;
      asked.profile_from = "session";
    }
    auto who = runs ? program_of(pid->get<pid_t>()) : Program{program, peer.uid, ""};
    if (who && who->uid != peer.uid && !Server::privileged(peer.uid)) who.reset();
    const Profile* match = who ? best_match(policy_, *who) : nullptr;
    if (!asked.profile && match != nullptr) {
      asked.profile = match->name;
      asked.profile_from = "match";
    }
    if (!asked.profile && policy_.default_profile) {
      asked.profile = policy_.default_profile;
      asked.profile_from = "default-profile";
    }
  }
  return explain(asked, policy_, snapshot_, routing_->marks(), *publisher_);
}

}  // namespace px::broker
