// SPDX-License-Identifier: MIT
#include "cli/exec/audited.h"

#include <unistd.h>

#include <cstdlib>

#include "cli/locations.h"
#include "plan/wire.h"

namespace px::cli {

Expected<void> can_audit() {
  PX_ASSIGN_OR_RETURN(const Installation installed, find_installation());
  if (access(installed.auditor.c_str(), X_OK) != 0)
    return fail_errno("this px was built without its audit, which needs clang and libbpf: " +
                      installed.auditor);
  if (geteuid() != 0) {
    return fail(
        "--audit counts packets in the kernel, which root alone may: run px-exec --audit as root, "
        "and the program by `setpriv` or `runuser` as the user it is for");
  }
  return {};
}

std::vector<std::string> audited(const ExecOptions& options) {
  const auto installed = find_installation();
  std::vector<std::string> words{installed ? installed->auditor : "px-audit"};
  const auto add = [&words](const char* option, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {option, value});
  };
  add("--socket", environment(plan::kSocketVariable));
  add("--profile", environment(plan::kProfileVariable));
  add("--preload", environment("LD_PRELOAD"));
  add("--report", options.audit_report);
  unsetenv("LD_PRELOAD");
  words.emplace_back("--");
  words.insert(words.end(), options.program.begin(), options.program.end());
  return words;
}

}  // namespace px::cli
