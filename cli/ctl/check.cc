// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <vector>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"
#include "cli/locations.h"

namespace px::cli {
namespace {

constexpr Parameter kCheckParameters[] = {
    {.name = "FILE", .help = "The policy file (default: as --config)"},
};

// The broker's own reading of the policy is the only one there is: pxctl becomes pxd.
int run_check(const CtlOptions& options, const Terminal& /*terminal*/) {
  const auto installed = find_installation();
  if (!installed) return complain(options, installed.error().message, kNoBroker);
  const std::string& file = options.value("FILE");
  const std::string policy = file.empty() ? find_policy(options.config) : absolute_path(file);
  if (policy.empty()) {
    return complain(options, "which policy? there is none at " + policy_places() + "; name a FILE",
                    kUsage);
  }
  // As the user wrote it, so that messages name it so.
  const std::string& named = file.empty() ? policy : file;
  std::vector<const char*> words{installed->broker.c_str(), "--check", "--config", named.c_str()};
  if (options.json) words.push_back("--json");
  words.push_back(nullptr);
  execv(words[0], const_cast<char* const*>(words.data()));
  return complain(options, fail_errno("cannot run " + installed->broker).value().message,
                  kNoBroker);
}

}  // namespace

const Command check_command{run_check, kCheckParameters};

}  // namespace px::cli
