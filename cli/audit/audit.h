// SPDX-License-Identifier: MIT
// One audit from beginning to end: what the kernel counts, whose flow it is, whether the plan
// explains it. Tells of each finding once, as soon as it is known. For one thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "audit/kernel_audit.h"
#include "cli/audit/judge.h"
#include "cli/audit/processes.h"

namespace px::cli {

// Whose packets are looked at, of those that the kernel counts.
struct AuditScope {
  std::string everything_under;  // a profile: all that is counted is under it; else by process
  std::string profile;           // only processes under this one; empty: all
  std::string program;           // only this one: a pid, a path, or a file's name; empty: all
};

// What an audit is to be told with.
struct Finding {
  const AuditedProcess& process;
  const px_audit_flow* flow;  // null: the process itself is the finding, px does not act in it
  std::string interface;
  std::string profile;
  Judgement judgement;
};

class Audit {
 public:
  using OnFinding = std::function<void(const Finding& finding)>;

  // Counts from now on.
  [[nodiscard]] static Expected<std::unique_ptr<Audit>> begin(int cgroup, Judge judge,
                                                              AuditScope scope,
                                                              OnFinding on_finding);

  // Sockets that a running process has open already. Those that may not be looked at are counted.
  void add_open_sockets(pid_t pid);

  [[nodiscard]] int descriptor() const { return kernel_->descriptor(); }
  // Judges what has been counted and not been judged yet.
  void look();
  // The last look, and everything that was found, as `--json` has it. Once.
  [[nodiscard]] nlohmann::json end();

 private:
  struct Known {
    std::string interface;
    std::string profile;
    Judgement judgement;
  };
  struct LessFlow {
    bool operator()(const px_audit_flow& a, const px_audit_flow& b) const;
  };

  Audit(Judge judge, AuditScope scope, OnFinding on_finding);
  void take(const audit::Event& event);
  void judge_flow(const px_audit_flow& flow);
  void note(AuditedProcess& process);
  [[nodiscard]] Expected<void> find_profile(AuditedProcess& process);
  [[nodiscard]] Expected<std::optional<std::string>> profile_of(const AuditedProcess& process);
  [[nodiscard]] bool is_in_scope(const AuditedProcess& process, const std::string& profile) const;
  void name_uncovered(AuditedProcess& process, const std::string& profile,
                      const std::string& interface);

  Judge judge_;
  AuditScope scope_;
  OnFinding on_finding_;
  AuditedProcesses processes_;
  std::map<px_audit_flow, Known, LessFlow> known_;
  std::vector<px_audit_flow> waiting_;
  std::vector<std::string> troubles_;  // why something could not be judged
  bool uncovered_ = false;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::uint64_t lost_events_ = 0;
  std::optional<audit::KernelAudit> kernel_;
};

}  // namespace px::cli
