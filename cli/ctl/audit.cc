// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"
#include "cli/locations.h"

namespace px::cli {
namespace {

constexpr int kCannotAudit = 4;  // as px-audit's

constexpr Parameter kAuditParameters[] = {
    {"SUBJECT", "A profile, or a program: a pid, a path or a file's name (default: all)"},
    {"--for", "How long: 500ms, 60s, 5m, 1h (default: until interrupted)"},
};

// px-audit does it: what loads programs into the kernel is not in every pxctl.
int run_audit(const CtlOptions& options, const Terminal& /*terminal*/) {
  const auto installed = find_installation();
  if (!installed) return complain(options, installed.error().message, kCannotAudit);
  if (access(installed->auditor.c_str(), X_OK) != 0) {
    return complain(
        options,
        "this px was built without its audit, which needs clang and libbpf: there is no " +
            installed->auditor,
        kCannotAudit);
  }
  std::vector<std::string> words{installed->auditor};
  const auto add = [&words](const char* option, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {option, value});
  };
  add("--socket", options.socket);
  add("--for", options.value("--for"));
  if (options.json) words.emplace_back("--json");
  if (!options.value("SUBJECT").empty()) words.push_back(options.value("SUBJECT"));
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  return complain(options, words[0] + ": " + std::strerror(errno), kCannotAudit);
}

}  // namespace

const Command audit_command{run_audit, kAuditParameters};

}  // namespace px::cli
