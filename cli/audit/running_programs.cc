// SPDX-License-Identifier: MIT
#include "cli/audit/running_programs.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/audit/audit.h"
#include "cli/audit/cgroup.h"
#include "cli/audit/report.h"
#include "cli/audit/signals.h"
#include "cli/ctl/ask.h"

namespace px::cli {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

// A profile of the policy, else a program.
Expected<AuditScope> scope_of(Client& client, const std::string& subject) {
  if (subject.empty()) return AuditScope{};
  PX_ASSIGN_OR_RETURN(const json status, client.ask({{"command", "status"}}));
  if (status.contains("error")) return fail(text_of(status, "error"));
  const bool is_profile = std::ranges::any_of(status.at("profiles"), [&](const json& profile) {
    return profile.value("name", "") == subject;
  });
  if (is_profile) return AuditScope{{}, subject, {}};
  return AuditScope{{}, {}, subject};
}

Expected<void> add_open_sockets(Audit& audit, Client& client) {
  PX_ASSIGN_OR_RETURN(const json answer, client.ask({{"command", "ps"}}));
  if (answer.contains("error")) return fail(text_of(answer, "error"));
  for (const json& program : answer.at("programs"))
    audit.add_open_sockets(program.at("pid").get<pid_t>());
  return {};
}

void wait(Audit& audit, const WaitedSignals& signals,
          const std::optional<std::chrono::milliseconds>& time) {
  const auto end = Clock::now() + time.value_or(std::chrono::milliseconds(0));
  pollfd ends[] = {{audit.descriptor(), POLLIN, 0}, {signals.descriptor(), POLLIN, 0}};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    if (time && left.count() <= 0) return;
    const int patience = time ? static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)) : -1;
    if (poll(ends, 2, patience) < 0 && errno != EINTR) return;
    audit.look();
    if (const auto signal = signals.take(); signal && *signal != SIGCHLD) return;
  }
}

void tell(const Finding& finding, bool as_json) {
  if (as_json) {
    print_json(finding_report(finding), -1);
  } else {
    print(finding_text(finding) + "\n");
  }
  std::fflush(stdout);
}

Expected<int> run(const AuditOptions& options, Client client) {
  PX_ASSIGN_OR_RETURN(const WaitedSignals signals, WaitedSignals::block());
  PX_ASSIGN_OR_RETURN(AuditScope scope, scope_of(client, options.subject));
  PX_ASSIGN_OR_RETURN(const Cgroup cgroup, Cgroup::root());
  PX_ASSIGN_OR_RETURN(Client second, Client::connect(client.path()));
  const auto on_finding = [&](const Finding& finding) { tell(finding, options.json); };
  PX_ASSIGN_OR_RETURN(const auto audit, Audit::begin(cgroup.directory(), Judge(std::move(second)),
                                                     std::move(scope), on_finding));
  PX_TRY(add_open_sockets(*audit, client));
  if (options.json) {
    print_json({{"counting", true}}, -1);
  } else {
    print("Counting what programs under px send.\n");
  }
  std::fflush(stdout);
  wait(*audit, signals, options.time);
  const json verdict = audit->end();
  if (options.json) {
    print_json(verdict, -1);
  } else {
    print(verdict_text(verdict));
  }
  return verdict.at("clean").get<bool>() ? kDone : kAnswerIsNo;
}

}  // namespace

int audit_running_programs(const AuditOptions& options) {
  CtlOptions asking;
  asking.json = options.json;
  asking.socket = options.socket;
  auto client = reach_broker(asking);
  if (!client) return client.error();
  const auto status = run(options, std::move(*client));
  return status ? *status : complain(options.json, status.error().message, kCannotAudit);
}

}  // namespace px::cli
