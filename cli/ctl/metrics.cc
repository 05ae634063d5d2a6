// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"

namespace px::cli {
namespace {

int run_metrics(const CtlOptions& options, const Terminal& /*terminal*/) {
  auto reply = ask_broker(options, {{"command", "metrics"}});
  if (!reply) return reply.error();
  if (!options.json) {
    print(reply->at("text").get<std::string>());
    return kDone;
  }
  reply->erase("text");
  print_json(*reply);
  return kDone;
}

}  // namespace

const Command metrics_command{run_metrics};

}  // namespace px::cli
