// SPDX-License-Identifier: MIT
#include "cli/audit/audit.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/audit/flow_text.h"
#include "cli/audit/open_sockets.h"
#include "cli/audit/report.h"

namespace px::cli {
namespace {

using nlohmann::json;

constexpr int kAncestors = 16;  // a chain of parents that is longer is not followed to its end

std::string file_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

bool Audit::LessFlow::operator()(const px_audit_flow& a, const px_audit_flow& b) const {
  return std::memcmp(&a, &b, sizeof a) < 0;
}

Audit::Audit(Judge judge, AuditScope scope, OnFinding on_finding)
    : judge_(std::move(judge)), scope_(std::move(scope)), on_finding_(std::move(on_finding)) {}

Expected<std::unique_ptr<Audit>> Audit::begin(int cgroup, Judge judge, AuditScope scope,
                                              OnFinding on_finding) {
  const auto unknown = scope.everything_under.empty() ? audit::UnknownSockets::kIgnored
                                                      : audit::UnknownSockets::kCounted;
  std::unique_ptr<Audit> made(new Audit(std::move(judge), std::move(scope), std::move(on_finding)));
  const auto on_event = [self = made.get()](const audit::Event& event) { self->take(event); };
  PX_ASSIGN_OR_RETURN(made->kernel_, audit::KernelAudit::begin(cgroup, unknown, on_event));
  return made;
}

void Audit::add_open_sockets(pid_t pid) {
  note(processes_.look_at(pid));
  const auto sockets = open_sockets(pid);
  if (!sockets) troubles_.push_back(sockets.error().message);
  if (!sockets) return;
  for (const OpenSocket& socket : *sockets) {
    if (auto added = kernel_->add_earlier(socket.cookie, socket.entry); !added)
      troubles_.push_back(added.error().message);
  }
}

void Audit::take(const audit::Event& event) {
  if (event.kind == PX_AUDIT_FLOW) waiting_.push_back(event.flow);
  if (event.kind == PX_AUDIT_PROCESS) {
    const std::string command(event.command, strnlen(event.command, sizeof event.command));
    note(processes_.look_at(static_cast<pid_t>(event.pid), command,
                            static_cast<pid_t>(event.parent)));
  }
}

void Audit::look() {
  kernel_->take_events();
  // What there was no room to tell of is among what was counted.
  if (const auto lost = kernel_->lost_events(); lost != lost_events_) {
    lost_events_ = lost;
    for (const auto& [flow, count] : kernel_->flows()) waiting_.push_back(flow);
  }
  const auto flows = std::exchange(waiting_, {});
  for (const px_audit_flow& flow : flows) {
    if (!known_.contains(flow)) judge_flow(flow);
  }
}

// Its session ends with a program, whose packets may not have been judged by then.
Expected<void> Audit::find_profile(AuditedProcess& process) {
  PX_ASSIGN_OR_RETURN(const auto profile, profile_of(process));
  if (profile) process.profile = *profile;
  return {};
}

void Audit::note(AuditedProcess& process) {
  if (auto found = find_profile(process); !found)
    troubles_.push_back(name_of(process) + ": " + found.error().message);
}

// Programs that px does not act in never said which profile they are under: that of the program
// that started them, then.
Expected<std::optional<std::string>> Audit::profile_of(const AuditedProcess& process) {
  pid_t pid = process.pid;
  for (int i = 0; i < kAncestors && pid > 1; ++i) {
    PX_ASSIGN_OR_RETURN(auto profile, judge_.profile_of(pid));
    if (profile) return profile;
    pid = pid == process.pid ? process.parent : parent_of(pid);
  }
  if (!scope_.everything_under.empty()) return scope_.everything_under;
  return std::nullopt;
}

bool Audit::is_in_scope(const AuditedProcess& process, const std::string& profile) const {
  if (!scope_.profile.empty() && scope_.profile != profile) return false;
  const std::string& wanted = scope_.program;
  return wanted.empty() || wanted == std::to_string(process.pid) || wanted == process.executable ||
         wanted == file_name(process.executable) || wanted == process.command;
}

void Audit::name_uncovered(AuditedProcess& process, const std::string& profile,
                           const std::string& interface) {
  if (process.named || process.covered != false || interface == "lo") return;
  process.named = uncovered_ = true;
  on_finding_({process, nullptr, interface, profile, {}});
}

void Audit::judge_flow(const px_audit_flow& flow) {
  AuditedProcess& process = processes_.look_at(static_cast<pid_t>(flow.pid));
  const auto asked = find_profile(process);
  const std::string& profile = process.profile;
  if (asked && (profile.empty() || !is_in_scope(process, profile))) return;
  const std::string interface = interface_of(flow);
  auto judgement =
      asked ? judge_.judge(flow, interface, profile) : tl::make_unexpected(asked.error());
  if (!judgement) {
    troubles_.push_back(flow_text(flow, interface) + ": " + judgement.error().message);
    return;
  }
  known_.emplace(flow, Known{interface, profile, *judgement});
  name_uncovered(process, profile, interface);
  if (judgement->is_finding()) on_finding_({process, &flow, interface, profile, *judgement});
}

json Audit::end() {
  // Also flows of processes that were not yet known to the broker when they began.
  for (const auto& [flow, count] : kernel_->flows()) waiting_.push_back(flow);
  look();
  json flows = json::array();
  std::uint64_t packets = 0;
  bool found = uncovered_;
  Unseen unseen{.foreign = 0, .answers = 0, .unexamined = 0, .troubles = troubles_};
  for (const auto& [flow, count] : kernel_->flows()) {
    const auto known = known_.find(flow);
    if (known == known_.end()) continue;
    const AuditedProcess& process = processes_.look_at(static_cast<pid_t>(flow.pid));
    const auto& [interface, profile, judgement] = known->second;
    packets += count.packets;
    found = found || judgement.is_finding();
    if (judgement.explanation == Explanation::kElsewhere) unseen.foreign += count.packets;
    if (judgement.explanation == Explanation::kAnswer) unseen.answers += count.packets;
    json one = finding_report({process, &flow, interface, profile, judgement});
    one["packets"] = count.packets;
    one["bytes"] = count.bytes;
    flows.push_back(std::move(one));
  }
  for (const auto& [pid, process] : processes_.all()) {
    if (pid != 0 && !process.covered) ++unseen.unexamined;
  }
  unseen.lost_packets = kernel_->lost_packets();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began_;
  return {{"clean", !found && unseen.is_complete()},
          {"complete", unseen.is_complete()},
          {"seconds", passed.count()},
          {"packets", packets},
          {"lost_packets", unseen.lost_packets},
          {"flows", std::move(flows)},
          {"uncovered", uncovered_report(processes_)},
          {"unseen", texts_of(unseen)}};
}

}  // namespace px::cli
