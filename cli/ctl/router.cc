// SPDX-License-Identifier: MIT
#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"

namespace px::cli {

int run_router(const CtlOptions& options, const Terminal& /*terminal*/) {
  const auto reply = ask_broker(
      options,
      {{"command", "router"}, {"action", options.router_action}, {"router", options.router}});
  if (!reply) return reply.error();
  if (options.json) {
    print_json(*reply);
    return kDone;
  }
  const std::string router = text_of(*reply, "router");
  if (options.router_action == "delete") {
    print(router + " is no next hop of px's any more.\n");
    return kDone;
  }
  std::string interfaces;
  for (const auto& name : reply->at("interfaces")) {
    interfaces += (interfaces.empty() ? "" : ", ") + printable(name.get<std::string>());
  }
  print(router + " is a next hop of " + interfaces + ".\n");
  return kDone;
}

}  // namespace px::cli
