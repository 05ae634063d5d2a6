// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"
#include "cli/ctl/table.h"

namespace px::cli {
namespace {

constexpr Action kRouterActions[] = {
    {"add", "Add a router on a network of one of the host's interfaces"},
    {"delete", "Delete a router that was added"},
};
constexpr Parameter kRouterParameters[] = {
    {.name = "ADDRESS", .help = "ADDRESS, or ADDRESS%INTERFACE", .required = true},
};

int run_router(const CtlOptions& options, const Terminal& /*terminal*/) {
  const auto reply = ask_broker(
      options,
      {{"command", "router"}, {"action", options.action}, {"router", options.value("ADDRESS")}});
  if (!reply) return reply.error();
  if (options.json) {
    print_json(*reply);
    return kDone;
  }
  const std::string router = text_of(*reply, "router");
  if (options.action == "delete") {
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

}  // namespace

const Command router_command{run_router, kRouterParameters, kRouterActions};

}  // namespace px::cli
