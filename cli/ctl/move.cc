// SPDX-License-Identifier: MIT
#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"

namespace px::cli {

int run_move(const CtlOptions& options, const Terminal& /*terminal*/) {
  const auto reply = ask_broker(
      options, {{"command", "move"}, {"pid", options.pid}, {"profile", options.profile}});
  if (!reply) return reply.error();
  if (options.json) {
    print_json(*reply);
  } else {
    print("Process " + text_of(*reply, "pid") + " goes from profile " + text_of(*reply, "from") +
          " to " + text_of(*reply, "profile") + " with its next connection.\n");
  }
  return kDone;
}

}  // namespace px::cli
