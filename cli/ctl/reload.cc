// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"
#include "cli/ctl/table.h"

namespace px::cli {
namespace {

// Ten thousand rules in a hundred profiles take their time.
constexpr Client::Duration kReloadPatience{60000};

int run_reload(const CtlOptions& options, const Terminal& /*terminal*/) {
  const auto reply = ask_broker(options, {{"command", "reload"}}, kReloadPatience);
  if (!reply) return reply.error();
  const bool ok = reply->at("ok").get<bool>();
  if (options.json) {
    print_json(*reply);
    return ok ? kDone : kAnswerIsNo;
  }
  if (ok) {
    for (const auto& warning : reply->at("warnings"))
      std::fprintf(stderr, "%s\n", printable(warning.get<std::string>()).c_str());
    print("Policy generation " + text_of(*reply, "generation") + " is in force: " +
          counted(reply->at("profiles").get<std::uint64_t>(), "profile") + ".\n");
    return kDone;
  }
  for (const auto& error : reply->at("errors"))
    std::fprintf(stderr, "%s\n", printable(error.get<std::string>()).c_str());
  return complain(options, "the policy was not reloaded; what was in force before still is",
                  kAnswerIsNo);
}

}  // namespace

const Command reload_command{run_reload};

}  // namespace px::cli
