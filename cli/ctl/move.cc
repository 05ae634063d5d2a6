// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"

namespace px::cli {
namespace {

constexpr Parameter kMoveParameters[] = {
    {.name = "PID",
     .help = "A program of `pxctl ps`",
     .required = true,
     .type = ParameterType::kPositiveNumber},
    {.name = "PROFILE", .help = "A profile of the policy", .required = true},
};

int run_move(const CtlOptions& options, const Terminal& /*terminal*/) {
  const auto reply = ask_broker(options, {{"command", "move"},
                                          {"pid", std::stoi(options.value("PID"))},
                                          {"profile", options.value("PROFILE")}});
  if (!reply) return reply.error();
  if (options.json) {
    print_json(*reply);
  } else {
    print("Process " + text_of(*reply, "pid") + " goes from profile " + text_of(*reply, "from") +
          " to " + text_of(*reply, "profile") + " with its next connection.\n");
  }
  return kDone;
}

}  // namespace

const Command move_command{run_move, kMoveParameters};

}  // namespace px::cli
