// SPDX-License-Identifier: MIT
#include <pwd.h>
#include <sys/types.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"
#include "cli/ctl/table.h"

namespace px::cli {
namespace {

using nlohmann::json;

Cell state_cell(const std::string& state) {
  if (state == "covered") return {state, Tone::kGood};
  return {state, state == "uncovered" ? Tone::kBad : Tone::kPlain};
}

std::string program_text(const json& program) {
  const std::string why = text_of(program, "why");
  return text_of(program, "exe") + (why.empty() ? "" : " (" + why + ")");
}

// The broker knows numbers alone: whoever knows the names may be far away, and slow.
std::string user_name(uid_t uid) {
  const passwd* entry = getpwuid(uid);
  return entry == nullptr ? std::to_string(uid) : entry->pw_name;
}

void add_user_names(json& programs) {
  std::map<uid_t, std::string> names;
  for (json& program : programs) {
    const auto uid = program.value("uid", uid_t{0});
    auto name = names.find(uid);
    if (name == names.end()) name = names.emplace(uid, user_name(uid)).first;
    program["user"] = name->second;
  }
}

int run_ps(const CtlOptions& options, const Terminal& terminal) {
  auto reply = ask_broker(options, {{"command", "ps"}});
  if (!reply) return reply.error();
  add_user_names(reply->at("programs"));
  if (options.json) {
    print_json(*reply);
    return kDone;
  }
  Table table({{"PID", Align::kRight},
               {"USER"},
               {"PROFILE"},
               {"ORIGIN"},
               {"STATE"},
               {"ROUTED", Align::kRight},
               {"SYSTEM", Align::kRight},
               {"REFUSED", Align::kRight},
               {"UNAVAIL", Align::kRight},
               {"NAMES", Align::kRight},
               {"PROGRAM"}});
  for (const json& program : reply->at("programs")) {
    table.add({text_of(program, "pid"), text_of(program, "user"), text_of(program, "profile"),
               text_of(program, "origin"), state_cell(text_of(program, "state")),
               text_of(program, "routed"), text_of(program, "system"), text_of(program, "refused"),
               text_of(program, "unavailable"), text_of(program, "names"), program_text(program)});
  }
  print(table.empty() ? "No program runs under px.\n" : table.text(terminal));
  if (const auto unseen = reply->value("unseen", std::uint64_t{0}); unseen > 0)
    print(std::to_string(unseen) + (unseen == 1 ? " process" : " processes") +
          " of other users cannot be seen.\n");
  return kDone;
}

}  // namespace

const Command ps_command{run_ps};

}  // namespace px::cli
