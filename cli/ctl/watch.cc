// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"
#include "cli/ctl/table.h"

namespace px::cli {
namespace {

using nlohmann::json;

// Every line has been flushed before: nothing is lost by ending here.
extern "C" void end_watching(int /*number*/) {
  _exit(kDone);
}

std::string change_text(const json& event) {
  return text_of(event, "exe") + " (pid " + text_of(event, "pid") + ", profile " +
         text_of(event, "profile") + ")";
}

std::string policy_text(const json& event) {
  if (event.at("ok").get<bool>())
    return "generation " + text_of(event, "generation") + " is in force";
  std::string text = "refused, generation " + text_of(event, "generation") + " stays in force";
  for (const json& error : event.at("errors")) text += ": " + printable(error.get<std::string>());
  return text;
}

std::string details(const std::string& kind, const json& event) {
  if (kind == "policy") return policy_text(event);
  if (kind == "paths")
    return text_of(event, "usable") + " of " + text_of(event, "entries") + " entries usable";
  if (kind == "counters") {
    return change_text(event) + ": routed " + text_of(event, "routed") + ", system " +
           text_of(event, "system") + ", refused " + text_of(event, "refused") + ", unavailable " +
           text_of(event, "unavailable") + ", names " + text_of(event, "names") + " (" +
           text_of(event, "names_failed") + " without an answer)";
  }
  if (kind == "started" || kind == "ended" || kind == "moved") return change_text(event);
  return printable(event.dump(-1, ' ', false, json::error_handler_t::replace));
}

Tone tone_of(const std::string& kind, const json& event) {
  if (kind == "policy") return event.at("ok").get<bool>() ? Tone::kGood : Tone::kBad;
  return kind == "paths" ? Tone::kWarning : Tone::kPlain;
}

std::string event_text(const json& event, const Terminal& terminal) {
  const std::string kind = text_of(event, "event");
  std::string name = kind;
  constexpr std::size_t kNameWidth = 9;
  name.resize(std::max(name.size(), kNameWidth), ' ');
  return time_text(event.at("time").get<std::int64_t>()) + " " +
         toned(name, tone_of(kind, event), terminal) + " " + details(kind, event) + "\n";
}

int run_watch(const CtlOptions& options, const Terminal& terminal) {
  auto client = reach_broker(options);
  if (!client) return client.error();
  std::signal(SIGINT, end_watching);
  std::signal(SIGTERM, end_watching);
  auto event = client->ask({{"command", "watch"}}, std::nullopt);
  while (event && !event->contains("error")) {
    if (options.json) {
      print_json(*event, -1);
    } else {
      print(event_text(*event, terminal));
    }
    if (std::fflush(stdout) != 0) return complain(false, "cannot write", kAnswerIsNo);
    event = client->next_reply(std::nullopt);
  }
  if (!event) return complain(options, event.error().message, kNoBroker);
  return complain(options, text_of(*event, "error"), kAnswerIsNo);
}

}  // namespace

const Command watch_command{run_watch};

}  // namespace px::cli
