// SPDX-License-Identifier: MIT
#include "cli/audit/audited_program.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/audit/audit.h"
#include "cli/audit/cgroup.h"
#include "cli/audit/report.h"
#include "cli/audit/signals.h"
#include "cli/ctl/table.h"

namespace px::cli {
namespace {

using nlohmann::json;

void tell(const std::string& text) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = std::min(text.find('\n', begin), text.size());
    std::fprintf(stderr, "px-exec: audit: %s\n", text.substr(begin, end - begin).c_str());
    begin = end + 1;
  }
}

// In the child: it joins the cgroup before it is the program, so no socket is made outside.
[[noreturn]] void become(const std::vector<char*>& arguments, const Cgroup& cgroup,
                         const WaitedSignals& signals) {
  if (const int error = cgroup.join(); error != 0) {
    tell(std::string("the program cannot be put into its cgroup: ") + std::strerror(error));
    _exit(kNoAudit);
  }
  signals.give_back();
  execvp(arguments[0], arguments.data());
  const int error = errno;
  std::fprintf(stderr, "px-exec: %s: %s\n", arguments[0], std::strerror(error));
  _exit(error == ENOENT ? 127 : 126);
}

Expected<pid_t> start(const AuditOptions& options, const Cgroup& cgroup,
                      const WaitedSignals& signals) {
  if (!options.preload.empty()) setenv("LD_PRELOAD", options.preload.c_str(), 1);
  std::vector<char*> arguments;
  for (const std::string& word : options.program)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid < 0) return fail_errno("cannot start the program");
  if (pid == 0) become(arguments, cgroup, signals);
  return pid;
}

// The shell's way to tell of a signal, too.
int status_of(int waited) {
  return WIFSIGNALED(waited) ? 128 + WTERMSIG(waited) : WEXITSTATUS(waited);
}

// Until the program ends; its exit status. A terminal's signals reach the program by themselves,
// the others are handed on.
int watch(Audit& audit, pid_t program, const WaitedSignals& signals) {
  pollfd ends[] = {{audit.descriptor(), POLLIN, 0}, {signals.descriptor(), POLLIN, 0}};
  while (true) {
    if (poll(ends, 2, -1) < 0 && errno != EINTR) return kNoAudit;
    audit.look();
    while (const auto signal = signals.take()) {
      if (*signal == SIGTERM || *signal == SIGHUP) kill(program, *signal);
    }
    int waited = 0;
    if (waitpid(program, &waited, WNOHANG) == program) return status_of(waited);
  }
}

Expected<void> write_report(const std::string& file, const json& verdict) {
  if (file.empty()) return {};
  std::ofstream report(file);
  report << verdict.dump(2, ' ', false, json::error_handler_t::replace) << "\n";
  report.close();
  if (!report) return fail_errno("cannot write " + file);
  return {};
}

Expected<int> run(const AuditOptions& options) {
  PX_ASSIGN_OR_RETURN(const WaitedSignals signals, WaitedSignals::block());
  PX_ASSIGN_OR_RETURN(Client client, Client::connect_first(socket_search(options.socket)));
  PX_ASSIGN_OR_RETURN(const Cgroup cgroup, Cgroup::make_own());
  AuditScope scope{options.profile, {}, {}};
  const auto on_finding = [](const Finding& finding) { tell(finding_text(finding)); };
  PX_ASSIGN_OR_RETURN(const auto audit, Audit::begin(cgroup.directory(), Judge(std::move(client)),
                                                     std::move(scope), on_finding));
  PX_ASSIGN_OR_RETURN(const pid_t program, start(options, cgroup, signals));
  const int status = watch(*audit, program, signals);
  json verdict = audit->end();
  verdict["program_status"] = status;
  const auto left = cgroup.processes().size();
  if (left > 0)
    verdict["unseen"].push_back(counted(left, "program") + " that it left running, from now on");
  tell(verdict_text(verdict));
  PX_TRY(write_report(options.report, verdict));
  return verdict.at("clean").get<bool>() ? status : kLeaks;
}

}  // namespace

int audit_program(const AuditOptions& options) {
  const auto status = run(options);
  if (status) return *status;
  tell(status.error().message);
  return kNoAudit;
}

}  // namespace px::cli
