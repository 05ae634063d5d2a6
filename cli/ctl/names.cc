// SPDX-License-Identifier: MIT
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"
#include "cli/ctl/table.h"

namespace px::cli {
namespace {

using nlohmann::json;

Cell server_state(const json& server) {
  if (!server.at("usable").get<bool>()) return {text_of(server, "why"), Tone::kBad};
  if (server.at("refused").get<bool>()) {
    return {"could not prove its name, and is not asked for a while", Tone::kBad};
  }
  if (server.at("silent").get<bool>()) return {"was silent, and is asked last", Tone::kBad};
  return {"asked", Tone::kGood};
}

std::string names_of(const json& profile, const json& server) {
  const json& names = server.at("names");
  const bool alone = std::ranges::none_of(
      profile.at("servers"), [](const json& each) { return each.at("names").is_array(); });
  if (!names.is_array()) return alone ? "all" : "all others";
  std::string text;
  for (const json& name : names)
    text += (text.empty() ? "" : ", ") + printable(name.get<std::string>());
  return text;
}

std::string servers_text(const json& profiles, const Terminal& terminal) {
  if (profiles.empty()) return "No profile has name servers of its own.\n";
  Table table({{"PROFILE"}, {"NAMES"}, {"SERVER"}, {"FROM"}, {"INTERFACE"}, {"SOURCE"}, {"STATE"}});
  for (const json& profile : profiles) {
    for (const json& server : profile.at("servers")) {
      table.add({text_of(profile, "profile"), names_of(profile, server), text_of(server, "server"),
                 text_of(server, "from"), text_of(server, "interface"), text_of(server, "source"),
                 server_state(server)});
    }
  }
  return table.text(terminal);
}

int run_names(const CtlOptions& options, const Terminal& terminal) {
  const auto reply = ask_broker(options, {{"command", "names"}});
  if (!reply) return reply.error();
  if (options.json) {
    print_json(*reply);
  } else {
    print(servers_text(reply->at("profiles"), terminal) + "\nAnswers that are kept: " +
          text_of(*reply, "answers") + " (" + text_of(*reply, "bytes") +
          " bytes). Lookups under way: " + text_of(*reply, "under_way") + ".\n");
  }
  return kDone;
}

}  // namespace

const Command names_command{run_names};

}  // namespace px::cli
