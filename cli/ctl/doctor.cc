// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"
#include "cli/ctl/table.h"

namespace px::cli {
namespace {

using nlohmann::json;

std::string or_none(const std::string& text) {
  return text.empty() ? "unreachable" : text;
}

std::string next_hops_text(const json& next_hops, const Terminal& terminal) {
  if (next_hops.empty()) return "px manages no next hops.\n";
  Table table({{"NEXT HOP FOR"}, {"MARK"}, {"TABLE"}, {"IPV4"}, {"IPV6"}});
  for (const json& hop : next_hops) {
    table.add({text_of(hop, "key"), text_of(hop, "mark"), text_of(hop, "table"),
               or_none(text_of(hop, "ipv4")), or_none(text_of(hop, "ipv6"))});
  }
  return table.text(terminal);
}

std::string foreign_text(const json& rules) {
  if (rules.empty()) return "";
  std::string text = "\nOther routing rules of this host, which px leaves alone:\n";
  for (const json& rule : rules) text += "  " + text_of(rule, "text") + "\n";
  return text;
}

std::string findings_text(const json& findings, const Terminal& terminal) {
  std::string text = "\n";
  for (const json& finding : findings) {
    const bool warning = finding.at("severity") == "warning";
    text += warning ? toned("warning", Tone::kWarning, terminal) : "note";
    text += ": " + text_of(finding, "what") + "\n";
    if (const std::string remedy = text_of(finding, "do"); !remedy.empty()) {
      text += "  do: " + remedy + "\n";
    }
  }
  return text;
}

int run_doctor(const CtlOptions& options, const Terminal& terminal) {
  const auto reply = ask_broker(options, {{"command", "doctor"}});
  if (!reply) return reply.error();
  const bool healthy = reply->at("healthy").get<bool>();
  if (options.json) {
    print_json(*reply);
  } else {
    print(next_hops_text(reply->at("next_hops"), terminal) +
          foreign_text(reply->at("foreign_rules")) +
          findings_text(reply->at("findings"), terminal) +
          (healthy ? toned("Nothing is wrong.", Tone::kGood, terminal) + "\n" : ""));
  }
  return healthy ? kDone : kAnswerIsNo;
}

}  // namespace

const Command doctor_command{run_doctor};

}  // namespace px::cli
