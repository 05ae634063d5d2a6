// SPDX-License-Identifier: MIT
#include <chrono>
#include <nlohmann/json.hpp>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"
#include "cli/ctl/reply_records.h"
#include "cli/ctl/table.h"

namespace px::cli {
namespace {

using nlohmann::json;

// Longer than the broker waits for servers by any policy.
constexpr std::chrono::minutes kLongest{20};

constexpr Parameter kResolveParameters[] = {
    {.name = "NAME",
     .help = "A host's name; the search list holds as for programs",
     .required = true},
    {.name = "--profile", .help = "The profile whose servers are asked", .required = true},
};

// What a program is told.
std::string outcome_text(const std::string& outcome) {
  if (outcome == "answered") return "answered";
  if (outcome == "no-such-name") return "there is no such name";
  if (outcome == "no-data") return "the name has no addresses";
  if (outcome == "no-recovery") return "the server does not take the question";
  if (outcome == "of-host") return "no entry of the profile's dns has it; the host's servers do";
  return "no server has answered; a program is told to try again";
}

Tone tone_of(const std::string& outcome) {
  return outcome == "answered" || outcome == "of-host" ? Tone::kGood : Tone::kBad;
}

Cell end_cell(const json& asked) {
  const std::string end = text_of(asked, "end");
  if (end == "silent") return {"silent", Tone::kBad};
  if (end == "failed") return {"could not be asked", Tone::kBad};
  if (end == "overtaken") return {"another was faster", Tone::kPlain};
  return {rcode_text(asked.at("rcode").get<int>()), Tone::kPlain};
}

std::string asked_text(const json& reply, const Terminal& terminal) {
  if (reply.at("asked").empty()) return "No server was asked.\n";
  Table table({{"SERVER"}, {"INTERFACE"}, {"SOURCE"}, {"NAME"}, {"MS"}, {"ANSWER"}});
  for (const json& asked : reply.at("asked")) {
    table.add({text_of(asked, "server"), text_of(asked, "interface"), text_of(asked, "source"),
               text_of(asked, "name"), text_of(asked, "milliseconds"), end_cell(asked)});
  }
  return table.text(terminal);
}

std::string records_text(const json& records, const Terminal& terminal) {
  Table table({{"NAME"}, {"TYPE"}, {"TTL"}, {"DATA"}, {"FROM"}});
  for (const json& record : records) {
    table.add({text_of(record, "name"), text_of(record, "type"), text_of(record, "ttl"),
               text_of(record, "data"),
               record.at("cached").get<bool>() ? "the cache" : "a server"});
  }
  return table.text(terminal);
}

// The packets, read: in their place, what is in them.
void read_replies(json& reply) {
  json records = json::array();
  for (const json& one : reply.at("replies")) {
    for (json& record : records_of_reply(text_of(one, "packet"))) {
      record["cached"] = one.at("cached");
      records.push_back(std::move(record));
    }
  }
  reply.erase("replies");
  reply["records"] = std::move(records);
}

int run_resolve(const CtlOptions& options, const Terminal& terminal) {
  auto reply = ask_broker(options,
                          {{"command", "resolve"},
                           {"name", options.value("NAME")},
                           {"profile", options.value("--profile")}},
                          kLongest);
  if (!reply) return reply.error();
  read_replies(*reply);
  const std::string outcome = text_of(*reply, "outcome");
  if (options.json) {
    print_json(*reply);
  } else {
    std::string text = text_of(*reply, "name") + " under " + text_of(*reply, "profile") + ": " +
                       toned(outcome_text(outcome), tone_of(outcome), terminal) + " (" +
                       text_of(*reply, "milliseconds") + " ms)\n\n" + asked_text(*reply, terminal);
    if (!reply->at("records").empty()) text += "\n" + records_text(reply->at("records"), terminal);
    print(text);
  }
  return outcome == "answered" ? kDone : kAnswerIsNo;
}

}  // namespace

const Command resolve_command{run_resolve, kResolveParameters};

}  // namespace px::cli
